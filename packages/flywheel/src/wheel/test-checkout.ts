import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * A small checkout as pnpm lays it out: the program `packages/main`, its library `packages/words`,
 * a package with a scoped name, and two that need each other. For tests.
 */
export async function layCheckout(root: string): Promise<{ program: string; node: string }> {
  const file = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const link = async (path: string, target: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  };
  const manifest = (
    name: string,
    main: string,
    dependencies: Readonly<Record<string, string>> = {},
  ): string => {
    const exports = { '.': main };
    return `${JSON.stringify({ name, version: '1.2.3', type: 'module', exports, dependencies })}\n`;
  };

  await file('LICENSE', 'Do what is right.\n');
  await file(
    'packages/main/package.json',
    manifest('@own/main', './src/main.ts', { '@own/words': '*', ring: '*' }),
  );
  await file(
    'packages/main/src/main.ts',
    `import { greet } from '@own/words';
import { ring } from 'ring';
const name: string = process.argv[2] ?? 'nobody';
console.log(greet(name), ring());
`,
  );
  await file('packages/main/src/main.test.ts', 'throw new Error();\n');
  await link('packages/main/node_modules/@own/words', '../../../words');
  await link(
    'packages/main/node_modules/ring',
    '../../../node_modules/.pnpm/ring/node_modules/ring',
  );

  await file(
    'packages/words/src/index.ts',
    `import { loud } from '@scope/loud';
export function greet(name: string): string { return loud('hello ' + name); }
`,
  );
  await file(
    'packages/words/package.json',
    manifest('@own/words', './src/index.ts', { '@scope/loud': '*' }),
  );
  await link(
    'packages/words/node_modules/@scope/loud',
    '../../../../node_modules/.pnpm/loud/node_modules/@scope/loud',
  );

  const loud = 'node_modules/.pnpm/loud/node_modules/@scope/loud';
  await file(`${loud}/package.json`, manifest('@scope/loud', './index.js'));
  await file(`${loud}/index.js`, 'export const loud = (text) => text.toUpperCase();\n');
  await file(`${loud}/node_modules/.bin/tool`, `#!/bin/sh\nexec ${root}/tool\n`);

  const ring = 'node_modules/.pnpm/ring/node_modules';
  await file(`${ring}/ring/package.json`, manifest('ring', './index.js', { knot: '*' }));
  await file(
    `${ring}/ring/index.js`,
    `import { knot } from 'knot';\nexport const ring = () => 'ring of ' + knot();\n`,
  );
  await link(`${ring}/knot`, '../../knot/node_modules/knot');
  const knot = 'node_modules/.pnpm/knot/node_modules';
  await file(`${knot}/knot/package.json`, manifest('knot', './index.js', { ring: '*' }));
  await file(
    `${knot}/knot/index.js`,
    `import { ring } from 'ring';\nexport const knot = () => typeof ring;\n`,
  );
  await link(`${knot}/ring`, '../../ring/node_modules/ring');

  // Stands for 150 MB of program.
  await file('runtime/bin/node', `#!/bin/sh\nshift\nexec ${process.execPath} "$@"\n`);
  await chmod(join(root, 'runtime/bin/node'), 0o755);
  await file('runtime/LICENSE', 'Do what is right.\n');
  return { program: join(root, 'packages/main'), node: join(root, 'runtime/bin/node') };
}
