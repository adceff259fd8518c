import { FlywheelError } from '@flywheel/base';
import { expect, test } from 'vitest';
import { createOutput } from '../output/index.ts';
import { createTestContext } from '../test-context.ts';
import { noteLogger } from './note-logger.ts';

test('what goes wrong in the server is one line, once', () => {
  const { context, stderr } = createTestContext();
  const logger = noteLogger(createOutput(context, {}));
  const error = new FlywheelError('no-space', 'the disk took 3 of 5 bytes');
  const fields = { method: 'PUT', path: '/_api/v1/upload-path', status: 507, error };
  logger.info('cache created');
  logger.error('request failed', fields);
  logger.child({}).error('request failed', fields);
  logger.warn('slow', { error: 'a\nb' });
  expect(stderr()).toBe(
    'Server: request failed (PUT /_api/v1/upload-path): the disk took 3 of 5 bytes\n' +
      'Server: slow: a\n',
  );
});
