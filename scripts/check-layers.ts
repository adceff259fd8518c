// Holds the direction of dependencies that ARCHITECTURE.md describes: run by `just check` and by
// the unit suite.
import { globSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

/** A package imports only from lower numbers. `tests`, `app` and `scripts` may import any. */
export const LAYERS: Readonly<Record<string, number>> = {
  base: 0,
  nix: 1,
  organization: 1,
  chunking: 1,
  gitlab: 2,
  client: 2,
  cache: 3,
  scaler: 3,
  drift: 3,
  deploy: 3,
  flywheel: 4,
};

/** Formats and policies: values in, values out. */
const PURE: ReadonlySet<string> = new Set(['nix', 'organization', 'chunking']);
const IMPURE_MODULE = /^node:(?:fs|net|tls|dgram|dns|http|https|http2|child_process|cluster)\b/;
const IMPURE_GLOBALS: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, 'reads the clock'],
  [/\bfetch\(/, 'uses the network'],
];

/** What only a main.ts may touch; everything else gets it as an argument. */
const EDGE_GLOBALS: readonly (readonly [RegExp, string])[] = [
  [/(?<!\.)\bprocess\.env\b/, 'reads process.env'],
  [/(?<!\.)\bprocess\.argv\b/, 'reads process.argv'],
  [/(?<!\.)\bprocess\.exit\(/, 'calls process.exit'],
  [/(?<!\.)\bprocess\.exitCode\s*=/, 'sets process.exitCode'],
];

/** Everything in the packages below `root` that breaks a rule, one line each. */
export function checkLayers(root: string): readonly string[] {
  const manifests = globSync('packages/*/package.json', { cwd: root }).toSorted();
  return manifests.flatMap((manifest) => {
    const name = manifest.split(/[/\\]/)[1] ?? '';
    if (name === 'testing') return [];
    if (LAYERS[name] === undefined) {
      return [`${manifest}: the package has no layer; add it to scripts/check-layers.ts`];
    }
    const files = globSync(`packages/${name}/src/**/*.ts`, { cwd: root }).toSorted();
    return [
      ...manifestIssues(name, manifest, readFileSync(join(root, manifest), 'utf8')),
      ...files.flatMap((file) => sourceIssues(name, file, readFileSync(join(root, file), 'utf8'))),
    ];
  });
}

function manifestIssues(name: string, path: string, text: string): readonly string[] {
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  return Object.keys(dependencies).flatMap((dependency) => {
    const issue = importIssue(name, dependency);
    return issue === undefined ? [] : [`${path}: ${issue}`];
  });
}

function sourceIssues(name: string, path: string, text: string): readonly string[] {
  const isTest = /\.test\.ts$|(?:^|\/)test-[^/]*\.ts$|\.contract\.ts$/.test(path);
  const code = withoutComments(text);
  const issues = importedModules(code).flatMap((specifier) => {
    if (isTest && specifier === '@flywheel/testing') return [];
    const escape = escapeIssue(name, path, specifier);
    const impure = !isTest && PURE.has(name) && IMPURE_MODULE.test(specifier);
    return [
      importIssue(name, specifier),
      escape,
      impure ? `imports ${specifier}, but ${name} is pure` : undefined,
    ].filter((issue) => issue !== undefined);
  });
  if (!isTest && !path.endsWith('/main.ts')) {
    for (const [pattern, what] of EDGE_GLOBALS) {
      if (pattern.test(code)) issues.push(`${what}; only main.ts may`);
    }
  }
  if (!isTest && PURE.has(name)) {
    for (const [pattern, what] of IMPURE_GLOBALS) {
      if (pattern.test(code)) issues.push(`${what}, but ${name} is pure`);
    }
  }
  return issues.map((issue) => `${path}: ${issue}`);
}

function importIssue(name: string, specifier: string): string | undefined {
  const target = /^@flywheel\/([^/]+)/.exec(specifier)?.[1];
  if (target === undefined || target === name) return undefined;
  if (target === 'testing') return 'imports @flywheel/testing, which is for tests only';
  const from = LAYERS[name] ?? -1;
  const to = LAYERS[target];
  if (to === undefined) return `imports @flywheel/${target}, which has no layer`;
  if (to < from) return undefined;
  return `imports @flywheel/${target} (layer ${to}), but ${name} is in layer ${from}`;
}

/** A relative path must not be a back door into another package. */
function escapeIssue(name: string, path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(path.replaceAll('\\', '/')), specifier);
  if (target.startsWith(`packages/${name}/`)) return undefined;
  return `imports ${specifier}, outside of its package`;
}

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])([^'"]+)\1/g;

function importedModules(code: string): readonly string[] {
  return [...code.matchAll(IMPORT)].map((match) => match[2] ?? '');
}

/** Comments may name what code may not use. A `//` within a string, as in a URL, stays. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{}(,])\/\/.*$/gm, '$1');
}

if (import.meta.main) {
  const issues = checkLayers(resolve(import.meta.dirname, '..'));
  for (const issue of issues) console.error(issue);
  console.log(issues.length === 0 ? 'Layers: in order.' : `Layers: ${issues.length} problems.`);
  process.exitCode = issues.length === 0 ? 0 : 1;
}
