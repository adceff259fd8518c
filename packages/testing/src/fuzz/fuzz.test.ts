import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runFuzz } from './index.ts';
import { Mutator } from './mutator.ts';
import { Random } from './random.ts';

const TARGETS = 'packages/testing/src/fuzz/test-targets';
const findingsFolder = mkdtempSync(join(tmpdir(), 'flywheel-findings-'));
afterAll(() => rmSync(findingsFolder, { recursive: true }));

test('coverage leads to what blind changes of the same number do not find', async () => {
  const options = { target: `${TARGETS}/planted.ts`, seed: 1, executions: 100_000, findingsFolder };
  const guided = await runFuzz(options);
  const blind = await runFuzz({ ...options, isGuided: false });

  expect(guided.findings).toMatchObject([
    { kind: 'error', message: expect.stringMatching(/^TypeError: planted\n/) as string },
  ]);
  const input = Buffer.from(guided.findings[0]?.base64 ?? '', 'base64');
  expect(input.subarray(0, 3)).toEqual(Buffer.from([0xf1, 0x07, 0xee]));
  expect(guided.report?.blocks).toBeGreaterThan((guided.report?.seedBlocks ?? 0) + 2);
  expect(blind.report?.executions).toBeGreaterThanOrEqual(100_000);
  expect(blind.findings).toEqual([]);
});

test('an input that never ends is found from outside', async () => {
  const { report, findings, files } = await runFuzz({
    target: `${TARGETS}/stuck.ts`,
    seed: 1,
    executions: 100_000,
    hangMs: 1500,
    findingsFolder,
  });

  expect(report).toBeUndefined();
  expect(findings).toMatchObject([{ kind: 'hang', message: 'did not end within 1500 ms' }]);
  expect(Buffer.from(findings[0]?.base64 ?? '', 'base64')[0]).toBe(0x2a);
  expect(files).toEqual([expect.stringMatching(/\/hang-\w{12}\.json$/)]);
  expect(JSON.parse(readFileSync(files[0] ?? '', 'utf8'))).toEqual({
    target: `${TARGETS}/stuck.ts`,
    ...findings[0],
  });
});

test('memory that stays is measured', async () => {
  const options = { seed: 1, executions: 5000 };
  const leaking = await runFuzz({ ...options, target: `${TARGETS}/leaking.ts` });
  const tight = await runFuzz({ ...options, target: `${TARGETS}/planted.ts` });

  expect(leaking.report?.heap.bytes).toBeGreaterThan(1_000_000);
  expect(tight.report?.heap.bytes).toBeLessThan(200_000);
});

test('a seed makes the same inputs again, of no more bytes than asked for', () => {
  const parent = Buffer.from('length: 12, name');
  const make = (): readonly Buffer[] => {
    const mutator = new Mutator(new Random(5), ['token'], 40);
    return Array.from({ length: 2000 }, () => mutator.mutate(parent, Buffer.alloc(30, 1)));
  };

  const inputs = make();

  expect(make()).toEqual(inputs);
  expect(parent.toString()).toBe('length: 12, name');
  expect(Math.max(...inputs.map(({ length }) => length))).toBe(40);
  expect(new Set(inputs.map((input) => input.toString('hex'))).size).toBeGreaterThan(1400);
});
