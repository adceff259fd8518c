import assert from 'node:assert/strict';
import { fingerprint, formatNarInfo, parseNarInfo, type NarInfo } from '@flywheel/nix';
import { insist, type FuzzTarget } from '@flywheel/testing/fuzz';

/** A narinfo that is read can be written, signed, and read as the same. */
export function openTarget(): FuzzTarget {
  return {
    covers: ['packages/nix/src/'],
    seeds: [BARE, FULL].map((info) => Buffer.from(formatNarInfo(info))),
    // prettier-ignore
    dictionary: [
      ...Object.keys(FULL).map((key) => `\n${key[0]?.toUpperCase()}${key.slice(1)}: `),
      '\nSig: ', '\nCA: ', '\nURL: ', ': ', ' ', '\n', '\r', '\0', '\u2028', '\ufeff',
      'sha256:', 'sha256-', 'sha512:', 'sha1:', 'md5:', 'text:', 'fixed:r:', 'fixed:git:',
      HASH, BASE_NAME, '/nix/store/', '/../', 'unknown-deriver', '0'.repeat(52), 'f'.repeat(64),
    ],
    run(input) {
      const info = parseNarInfo(Buffer.from(input).toString('utf8'));
      const text = insist('what was read cannot be written', () => formatNarInfo(info));
      const again = insist('what was written cannot be read', () => parseNarInfo(text));
      assert.deepEqual(again, info);
      insist('what was read cannot be signed', () => fingerprint(info));
    },
  };
}

const HASH = '430rksy9dxpyl50zs25x2fd6w89wfddx';
const BASE_NAME = `${HASH}-a`;

const BARE: NarInfo = {
  storePath: `/nix/store/${BASE_NAME}`,
  url: 'nar/a.nar',
  compression: 'none',
  narHash: Buffer.alloc(32, 0xa5),
  narSize: 120,
  references: [],
  sigs: [],
};

const FULL: NarInfo = {
  ...BARE,
  compression: 'zstd',
  fileHash: `sha256:${'0'.repeat(52)}`,
  fileSize: 99,
  references: [BASE_NAME, '40l4cx2i3wbqjqbdd252jbwkdq6j44sv-note'],
  deriver: `${BASE_NAME}.drv`,
  system: 'x86_64-linux',
  sigs: ['a:AA==', 'b:AA=='],
  ca: `fixed:r:sha256:${'1'.repeat(52)}`,
};
