import { expect, test } from 'vitest';
import { migrateText } from './migrate.ts';
import type { Migration } from './migrate.ts';

const RENAME: Migration = {
  from: 'flywheel/v1',
  to: 'flywheel/v2',
  summary: 'tag is now version',
  apply: (document) => {
    document.setIn(['images', 'version'], document.getIn(['images', 'tag']));
    document.deleteIn(['images', 'tag']);
  },
};

const FILE = `# Ours
apiVersion: flywheel/v1 # of the schema

images:
  tag: main # moves
  # not this
  pullPolicy: Always
`;

test('a current file stays as it is, to the byte', () => {
  expect(migrateText('apiVersion:   flywheel/v1\n\n\n')).toEqual({
    text: 'apiVersion:   flywheel/v1\n\n\n',
    steps: [],
  });
});

test('a step changes its keys and the version, and keeps comments', () => {
  expect(migrateText(FILE, [RENAME], 'flywheel/v2')).toEqual({
    text: `# Ours
apiVersion: flywheel/v2 # of the schema

images:
  # not this
  pullPolicy: Always
  version: main
`,
    steps: [{ from: 'flywheel/v1', to: 'flywheel/v2', summary: 'tag is now version' }],
  });
});

test('steps follow each other', () => {
  const next: Migration = { from: 'flywheel/v2', to: 'flywheel/v3', summary: 'x', apply: () => {} };

  const { text, steps } = migrateText('apiVersion: flywheel/v1\n', [next, RENAME], 'flywheel/v3');

  expect(steps.map(({ to }) => to)).toEqual(['flywheel/v2', 'flywheel/v3']);
  expect(text).toContain('apiVersion: flywheel/v3');
});

test('a version that is not known is refused, and so is none', () => {
  expect(() => migrateText('apiVersion: flywheel/v9\n')).toThrow(
    'apiVersion "flywheel/v9" is not known',
  );
  expect(() => migrateText('organization: {}\n')).toThrow('the file says no apiVersion');
  expect(() => migrateText('a: [\n')).toThrow('the file is no YAML');
});
