import type { ErrorCode } from './error.ts';

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-input',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  422: 'invalid-input',
  507: 'no-space',
};

/** What a status that is no success means to who has asked. Of all others, another try may help. */
export function codeOfStatus(status: number): ErrorCode {
  return CODES[status] ?? 'unavailable';
}
