import { FlywheelError } from '@flywheel/base';

/** A TCP port of a flag. Throws `invalid-input`. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new FlywheelError('invalid-input', `"${text}" is no port; write a number up to 65535`);
  }
  return port;
}
