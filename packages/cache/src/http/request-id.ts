import { randomBytes } from 'node:crypto';

/** Replicas write into one log: the prefix tells them apart. */
const PREFIX = randomBytes(5).toString('hex');
let last = 0;

const SANE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The number under which a request is logged: the one a proxy gave it, if that is sane, or a new one. */
export function requestIdOf(given: string | readonly string[] | undefined): string {
  if (typeof given === 'string' && SANE.test(given)) return given;
  last += 1;
  return `${PREFIX}-${last.toString(36)}`;
}
