import { expect, test } from 'vitest';
import { imageProblem, repositoryProblem } from './image-reference.ts';
import { parseQuantity } from './quantity.ts';
import { scheduleProblem } from './schedule.ts';

test('quantities of Kubernetes', () => {
  expect(parseQuantity('500m')).toBe(0.5);
  expect(parseQuantity('2')).toBe(2);
  expect(parseQuantity('1.5Gi')).toBe(1.5 * 1024 ** 3);
  expect(parseQuantity('10G')).toBe(10_000_000_000);
  for (const text of ['', 'two', '1 Gi', '1GiB', '-1', '1e3x', '10K']) {
    expect(parseQuantity(text)).toBeUndefined();
  }
});

test('schedules have six fields within their bounds', () => {
  for (const text of ['0 0 3 * * *', '0 */15 8-18 * * mon-fri', '0 30 2 1,15 jan,jul ?']) {
    expect(scheduleProblem(text)).toBeUndefined();
  }
  expect(scheduleProblem('0 0 * * *')).toBe(
    'has 5 fields, not six: second minute hour day month weekday, as in "0 0 3 * * *"',
  );
  expect(scheduleProblem('@daily')).toMatch(/^has 1 field, not six/);
  expect(scheduleProblem('0 0 25 * * *')).toBe('has "25" as its hour, which goes from 0 to 23');
  expect(scheduleProblem('0 0 3 0 * *')).toBe(
    'has "0" as its day of the month, which goes from 1 to 31',
  );
  expect(scheduleProblem('0 0 3 * * fri-mon')).toBe(
    'has "fri-mon" as its day of the week, which goes from 0 to 6',
  );
  expect(scheduleProblem('0 0 3 * */0 *')).toMatch(/^has "\*\/0" as its month/);
});

test('images name their registry and say which one they are', () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  for (const text of [
    'docker.io/library/debian:12-slim',
    'gitlab.example.org:5050/group/project/image:1.0_a',
    `ghcr.io/owner/image@${digest}`,
    `localhost/image:1@${digest}`,
  ]) {
    expect(imageProblem(text)).toBeUndefined();
  }
  expect(imageProblem('docker.io/library/debian')).toMatch(/^names no tag/);
  expect(imageProblem('docker.io/library/debian:latest')).toMatch(/^has the tag "latest"/);
  for (const text of [
    'debian:12',
    'docker.io/Library/debian:12',
    'docker.io/a:b:c',
    'https://x.y/z:1',
  ]) {
    expect(imageProblem(text)).toMatch(/^is no reference of an image/);
  }
});

test('a repository has neither tag nor digest', () => {
  expect(repositoryProblem('registry.gitlab.com/acme/infrastructure')).toBeUndefined();
  expect(repositoryProblem('registry.gitlab.com/acme:1')).toMatch(/^is no repository/);
  expect(repositoryProblem('acme')).toMatch(/^is no repository/);
});
