import { buildCommand } from '@stricli/core';
import { FlywheelError, parseBytes } from '@flywheel/base';
import type { VerifyFlags } from '../../caches/verify.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { serverFlags } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';

export const verify = buildCommand<VerifyFlags, [], CliContext>({
  docs: {
    brief: 'Check that what the server stores is intact',
    fullDescription: describe(
      `
Asks the server to read all that it stores and to compare it with its checksums. Paths whose bytes are
damaged or gone are reported missing from then on, and the next push of them heals them. Pulls and
pushes go on meanwhile. Killed at any moment, the server goes on where it was. With --wait, the exit
code is 1 when damage was found. Needs a token with --delete for "*".`,
      [
        ['./flywheel cache verify --wait', 'every frame of every pack against its CRC-32'],
        ['./flywheel cache verify --deep --wait', 'and every chunk and NAR against its hash'],
        ['./flywheel cache verify --rate 500MiB --wait', 'faster, while nobody needs the disk'],
      ],
    ),
  },
  parameters: {
    flags: {
      deep: {
        kind: 'boolean',
        brief: 'Decompress everything, and compare the hashes of chunks and NARs',
        withNegated: false,
        optional: true,
      },
      rate: {
        kind: 'parsed',
        parse: parseRate,
        placeholder: 'SIZE',
        brief: 'Read so much a second at most [default = 50MiB]',
        optional: true,
      },
      removeUnknown: {
        kind: 'boolean',
        brief: 'Remove packs that the database has not known for a day',
        withNegated: false,
        optional: true,
      },
      wait: {
        kind: 'boolean',
        brief: 'Wait until it is done, and say what it found',
        withNegated: false,
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../caches/verify.ts')).runCacheVerify),
});

function parseRate(text: string): number {
  const bytes = parseBytes(text);
  if (bytes >= 1024) return bytes;
  throw new FlywheelError('invalid-input', `"${text}" a second is too little; 1KiB is the least`);
}
