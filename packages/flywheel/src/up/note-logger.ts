import { messageOf } from '@flywheel/base';
import type { LogFields, Logger } from '@flywheel/base';
import type { Output } from '../output/index.ts';

/**
 * The server's warnings and errors as one line each between what the command itself says. Of their
 * fields only these few: whoever needs all of them runs `cache serve`, which logs as JSON.
 */
export function noteLogger(output: Output): Logger {
  let last = '';
  const note = (message: string, fields: LogFields = {}): void => {
    const { method, path, error } = fields;
    const request = typeof path === 'string' ? ` (${String(method)} ${path})` : '';
    const reason = error === undefined ? '' : `: ${firstLine(messageOf(error))}`;
    const line = `Server: ${message}${request}${reason}`;
    // A full disk refuses each of many uploads in the same words.
    if (line !== last) output.note(line);
    last = line;
  };
  const nothing = (): void => {};
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    warn: note,
    error: note,
    child: () => logger,
  };
  return logger;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
