import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runChild, startChild, stopChild } from '../index.ts';

const env = { PATH: '/usr/bin:/bin' };

test('a failing status is an answer, with both outputs', async () => {
  const script = 'cat; echo "$GREETING" >&2; exit 3';
  const result = await runChild(['/bin/sh', '-c', script], {
    env: { ...env, GREETING: 'hello' },
    input: 'from the input',
  });
  expect(result).toEqual({ stdout: 'from the input', stderr: 'hello\n', status: 3 });
});

test('a program that hangs is killed, and the error says which and what it last said', async () => {
  const script = 'echo stuck >&2; exec sleep 60';
  const running = runChild(['/bin/sh', '-c', script], { env, timeoutMs: 300 });
  await expect(running).rejects.toThrow(/sleep 60 did not end within 300 ms.*stuck/s);
});

test('stopping insists when the program ignores the request', async () => {
  const script = 'trap "" TERM; echo ready; while :; do sleep 0.05; done';
  const child = startChild(['/bin/sh', '-c', script], { env });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await stopChild(child, 200);
  expect(child.signalCode).toBe('SIGKILL');
  await stopChild(child);
});

test.runIf(process.platform === 'linux')('a child dies with a parent that was killed', async () => {
  const module = new URL('child.ts', import.meta.url).href;
  const parent = startChild(
    [
      process.execPath,
      '--input-type=module',
      '--eval',
      `const { startChild } = await import(${JSON.stringify(module)});
       console.log(startChild(['/bin/sleep', '60'], { env: {} }).pid);`,
    ],
    { env },
  );
  const line = await new Promise<Buffer>((resolve) => parent.stdout?.once('data', resolve));
  const pid = Number(line.toString());
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  for (let tries = 0; isAlive(pid) && tries < 100; tries += 1) await sleep(20);
  expect(isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
