import { FlywheelError, parseBytes, parseDuration } from '@flywheel/base';

/** `90d` → seconds; `forever` is 0. Throws `invalid-input`. */
export function parseRetention(text: string): number {
  if (text === 'forever') return 0;
  const seconds = parseDuration(text) / 1000;
  if (seconds >= 1 && seconds < 2 ** 31) return seconds;
  throw new FlywheelError(
    'invalid-input',
    `"${text}" is no retention period; write it like 90d, or "forever"`,
  );
}

/** The same, or `default` for the server's own. */
export function parseCacheRetention(text: string): number | 'default' {
  return text === 'default' ? text : parseRetention(text);
}

/** `500GiB` → bytes, or `none`. Throws `invalid-input`. */
export function parseQuota(text: string): number | 'none' {
  if (text === 'none') return text;
  const bytes = parseBytes(text);
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new FlywheelError(
    'invalid-input',
    `"${text}" is no quota; write it like 500GiB, or "none"`,
  );
}
