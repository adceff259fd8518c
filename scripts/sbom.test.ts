import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { formatSbom, integritiesOf, withProgram } from './sbom.ts';

test('a bill names each package with its hash and licence, in one order', () => {
  const packages = [
    { name: 'zod', version: '4.6.7' },
    { name: '@napi-rs/lzma', version: '1.5.1', license: 'MIT', integrity: 'sha512-AAH/' },
  ];

  const text = formatSbom({ name: 'flywheel', version: '0.1.0' }, packages);

  expect(JSON.parse(text)).toEqual({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': 'flywheel',
        name: 'flywheel',
        version: '0.1.0',
      },
    },
    components: [
      {
        type: 'library',
        'bom-ref': 'pkg:npm/%40napi-rs/lzma@1.5.1',
        name: '@napi-rs/lzma',
        version: '1.5.1',
        purl: 'pkg:npm/%40napi-rs/lzma@1.5.1',
        licenses: [{ expression: 'MIT' }],
        hashes: [{ alg: 'SHA-512', content: '0001ff' }],
      },
      {
        type: 'library',
        'bom-ref': 'pkg:npm/zod@4.6.7',
        name: 'zod',
        version: '4.6.7',
        purl: 'pkg:npm/zod@4.6.7',
      },
    ],
  });
  expect(formatSbom({ name: 'flywheel', version: '0.1.0' }, packages.toReversed())).toBe(text);
});

test('a program comes behind the packages', () => {
  const bill = formatSbom({ name: 'flywheel', version: '0.1.0' }, [
    { name: 'zod', version: '4.6.7' },
  ]);
  const purl = 'pkg:golang/github.com/opentofu/opentofu@v1.12.6';

  const text = withProgram(bill, {
    name: 'opentofu',
    version: '1.12.6',
    purl,
    license: 'MPL-2.0',
    sha256: '00ff',
  });

  expect(JSON.parse(text)).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'flywheel' } },
    components: [
      { name: 'zod' },
      {
        type: 'application',
        'bom-ref': purl,
        name: 'opentofu',
        version: '1.12.6',
        purl,
        licenses: [{ expression: 'MPL-2.0' }],
        hashes: [{ alg: 'SHA-256', content: '00ff' }],
      },
    ],
  });
});

test('the lock file has a hash for each of its packages', () => {
  const lockFile = readFileSync(resolve(import.meta.dirname, '../pnpm-lock.yaml'), 'utf8');

  const found = integritiesOf(lockFile);

  expect(found.size).toBe(lockFile.split('resolution: {integrity: ').length - 1);
  expect([...found.keys()].filter((id) => !/^@?[^@]+@\d+\.\d+\.\d+/.test(id))).toEqual([]);
  expect(found.get('yaml@2.9.1')).toMatch(/^sha512-.{86}==$/);
});
