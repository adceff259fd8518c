import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runChild } from '@flywheel/testing';
import type { RunResult } from '@flywheel/testing';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');
const IS_ROOT = process.getuid?.() === 0;

interface UpResult {
  readonly ok: boolean;
  readonly turn: {
    readonly fed: Readonly<Record<'paths' | 'uploaded' | 'present' | 'verified', number>>;
    readonly problems: readonly { readonly code: string; readonly hint?: string }[];
  };
}

describe.skipIf(!IS_ROOT)('up on a small disk (needs root, to mount one)', () => {
  let disk = '';
  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'flywheel-disk-'));
  });
  afterEach(async () => {
    execFileSync('umount', [disk]);
    await rm(disk, { recursive: true });
  });

  const up = (): Promise<RunResult> => {
    const data = ['--data', join(disk, 'data'), '--listen', '127.0.0.1:0'];
    const command = [LAUNCHER, 'up', '--once', '--no-flake', '--json', ...data];
    return runChild(command, { env: { HOME: disk, PATH: '/usr/bin:/bin' } });
  };

  test('that is full in the middle keeps what arrived, and goes on when there is room', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    const full = await up();
    expect(full.status, full.stderr).toBe(1);
    const { ok, turn } = JSON.parse(full.stdout) as UpResult;
    expect(ok).toBe(false);
    expect(turn.problems.map(({ code }) => code)).toEqual(['no-space']);
    expect(turn.fed.uploaded).toBeGreaterThan(0);
    expect(turn.fed.verified).toBe(turn.fed.uploaded);

    execFileSync('mount', ['-o', 'remount,size=400m', disk]);
    const mended = await up();
    expect(mended.status, mended.stderr).toBe(0);
    const after = (JSON.parse(mended.stdout) as UpResult).turn.fed;
    expect(after.present).toBe(turn.fed.uploaded);
    expect(after.verified).toBe(after.paths);
  }, 120_000);

  test('that is full from the start is one error that says what to do', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    await writeFile(join(disk, 'fill'), Buffer.alloc(128 * 1024)).catch(() => {});
    const { stdout, status } = await up();
    expect(status).toBe(11);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'no-space',
        hint: 'free some space, or choose another directory with --data DIR',
      },
    });
  });

  test('that is read-only is one error that says what to do', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,ro', 'tmpfs', disk]);
    const { stdout, status } = await up();
    expect(status).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        message: `${disk}/data cannot be written: EROFS: read-only file system, access '${disk}'`,
        hint: `The disk with ${disk} is read-only: mount it for writing, or choose another directory with --data DIR.`,
      },
    });
  });
});
