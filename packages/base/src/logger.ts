import { FlywheelError } from './error.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging: one JSON object a line, the fields first-class, secrets never among them. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

// A last line of defence only: callers do not log secrets in the first place.
const SECRET_FIELD = /authorization|token|secret|password|private/i;

/** A logger that writes JSON lines through `write` (one call a line, newline included). */
export function createLogger(
  write: (line: string) => void,
  level: LogLevel = 'info',
  fields: LogFields = {},
): Logger {
  const threshold = ORDER.indexOf(level);
  const log = (lineLevel: LogLevel, message: string, extra: LogFields = {}): void => {
    if (ORDER.indexOf(lineLevel) < threshold) return;
    const line = { time: new Date().toISOString(), level: lineLevel, message, ...fields, ...extra };
    write(`${JSON.stringify(line, replacer)}\n`);
  };
  return {
    debug: (message, extra) => log('debug', message, extra),
    info: (message, extra) => log('info', message, extra),
    warn: (message, extra) => log('warn', message, extra),
    error: (message, extra) => log('error', message, extra),
    child: (extra) => createLogger(write, level, { ...fields, ...extra }),
  };
}

export const silentLogger: Logger = createLogger(() => {}, 'error');

function replacer(key: string, value: unknown): unknown {
  if (SECRET_FIELD.test(key)) return '[redacted]';
  if (value instanceof FlywheelError) {
    return { code: value.code, message: value.message, cause: value.cause, stack: value.stack };
  }
  if (value instanceof Error) return { message: value.message, stack: value.stack };
  return value;
}
