// Compiles packages/chunking/assembly/cut.ts into src/cut-wasm.ts.
// AssemblyScript (with its 100 MB of compiler) is wanted only when the source changes, so it is
// run through pnpm at a pinned version and is not a dependency.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PNPM = 'pnpm@12.21.0';
const ASSEMBLYSCRIPT = 'assemblyscript@0.28.20';

const folder = join(import.meta.dirname, '../packages/chunking');
const work = mkdtempSync(join(tmpdir(), 'build-chunker-'));
try {
  const wasm = join(work, 'cut.wasm');
  const flags = ['-O3', '--runtime', 'stub', '--initialMemory', '1', '--outFile', wasm];
  const source = join(folder, 'assembly/cut.ts');
  execFileSync(
    'npx',
    ['--yes', PNPM, `--package=${ASSEMBLYSCRIPT}`, 'dlx', 'asc', source, ...flags],
    {
      stdio: 'inherit',
    },
  );
  const base64 = readFileSync(wasm).toString('base64');
  writeFileSync(
    join(folder, 'src/cut-wasm.ts'),
    `// Made by scripts/build-chunker.ts from assembly/cut.ts. Not edited by hand.\nexport const CUT_WASM =\n  '${base64}';\n`,
  );
} finally {
  rmSync(work, { recursive: true });
}
