// A bill of materials in the format of CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, as its package.json says. */
  readonly license?: string;
  /** As the lock file has it: an algorithm, a hyphen, base64. */
  readonly integrity?: string;
}

/** A program that is no package of npm. */
export interface InstalledProgram {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly license: string;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/** The bill of `name` at `version`. The same packages give the same text, in whatever order. */
export function formatSbom(
  { name, version }: { readonly name: string; readonly version: string },
  packages: readonly InstalledPackage[],
): string {
  const components = packages
    .map((found) => ({
      type: 'library',
      'bom-ref': purlOf(found),
      name: found.name,
      version: found.version,
      purl: purlOf(found),
      ...(found.license === undefined ? {} : { licenses: [{ expression: found.license }] }),
      ...(found.integrity === undefined ? {} : { hashes: [hashOf(found.integrity)] }),
    }))
    .toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': name, name, version } },
    components,
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** The bill with a program behind its packages. */
export function withProgram(bill: string, program: InstalledProgram): string {
  const { name, version, purl, license, sha256 } = program;
  const { components, ...rest } = JSON.parse(bill) as { readonly components: readonly unknown[] };
  const component = {
    type: 'application',
    'bom-ref': purl,
    name,
    version,
    purl,
    licenses: [{ expression: license }],
    hashes: [{ alg: 'SHA-256', content: sha256 }],
  };
  return `${JSON.stringify({ ...rest, components: [...components, component] }, null, 2)}\n`;
}

/** The integrity of each package of a pnpm-lock.yaml, by name and version (`hono@4.1.0`). */
export function integritiesOf(lockFile: string): ReadonlyMap<string, string> {
  const entries = /^ {2}'?(@?[^@'\n]+@[^:'\n]+)'?:\n {4}resolution: \{integrity: ([^,}]+)/gm;
  return new Map(
    [...lockFile.matchAll(entries)].map(([, id = '', integrity = '']) => [id, integrity]),
  );
}

/** https://github.com/package-url/purl-spec: of a scope, the @ is escaped and the slash is not. */
function purlOf({ name, version }: InstalledPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function hashOf(integrity: string): { alg: string; content: string } {
  const [algorithm = '', digest = ''] = integrity.split(/-(.*)/s);
  return {
    alg: ALGORITHMS[algorithm] ?? algorithm,
    content: Buffer.from(digest, 'base64').toString('hex'),
  };
}
