import { expect, test } from 'vitest';
import { dataDirectory } from './data-directory.ts';
import { createTestContext } from './test-context.ts';

test('--data, then XDG_DATA_HOME, then the home directory', () => {
  const env = { XDG_DATA_HOME: '/var/lib' };
  const { context } = createTestContext({ env, cwd: '/tmp', home: '/home/ada' });
  expect(dataDirectory(context, 'cache')).toBe('/tmp/cache');
  expect(dataDirectory(context, '/srv/flywheel')).toBe('/srv/flywheel');
  expect(dataDirectory(context)).toBe('/var/lib/flywheel');
  const bare = createTestContext({ home: '/home/ada' });
  expect(dataDirectory(bare.context)).toBe('/home/ada/.local/share/flywheel');
});

test('a relative XDG_DATA_HOME is ignored, as the specification says', () => {
  const { context } = createTestContext({ env: { XDG_DATA_HOME: 'data' }, home: '/home/ada' });
  expect(dataDirectory(context)).toBe('/home/ada/.local/share/flywheel');
});
