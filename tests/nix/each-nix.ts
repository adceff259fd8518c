import { describe, test } from 'vitest';
import { findNix, isMissing, NIX_VERSIONS } from '@flywheel/testing';
import type { NixEngine } from '@flywheel/testing';

// Found while the file loads, because tests are declared without waiting.
const engines = await Promise.all(
  NIX_VERSIONS.map(async (version) => ({ version, found: await findNix(version) })),
);

/** Declares the same tests for each nix; where one cannot be had, a skipped test that says why. */
export function describeEachNix(subject: string, declare: (nix: NixEngine) => void): void {
  for (const { version, found } of engines) {
    describe(`nix ${version}: ${subject}`, { timeout: 180_000 }, () => {
      if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
      else declare(found);
    });
  }
}

/** The arguments for JSON of one shape: a future nix refuses to choose one by itself. */
export function jsonArguments(nix: NixEngine): readonly string[] {
  return nix.version.startsWith('2.8.') ? ['--json'] : ['--json', '--json-format', '1'];
}
