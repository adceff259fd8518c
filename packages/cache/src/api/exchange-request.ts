import { z } from 'zod';
import { collect, isFlywheelError } from '@flywheel/base';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import { bodyOf, jsonBody } from './request-body.ts';

const BODY_LIMIT = 32 * 1024;
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TOKEN_TYPES: readonly (string | null)[] = [
  'urn:ietf:params:oauth:token-type:id_token',
  'urn:ietf:params:oauth:token-type:jwt',
  // A form of one field is easier to send from a shell.
  null,
];

const JsonRequest = z.object({ id_token: z.string().min(1) });

/** The ID token in either form of the request. */
export async function readExchangeRequest(c: ApiContext): Promise<string> {
  const type = c.incoming.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    return (await jsonBody(c, JsonRequest, BODY_LIMIT)).id_token;
  }
  const form = new URLSearchParams(await formText(c));
  const grant = form.get('grant_type');
  if (grant !== GRANT_TYPE) throw wireError('RequestError', `grant_type must be ${GRANT_TYPE}`);
  if (!TOKEN_TYPES.includes(form.get('subject_token_type'))) {
    throw wireError('RequestError', `subject_token_type must be ${TOKEN_TYPES[0]}`);
  }
  const token = form.get('subject_token');
  if (token === null || token === '') throw wireError('RequestError', 'subject_token is missing');
  return token.trim();
}

async function formText(c: ApiContext): Promise<string> {
  try {
    return (await collect(bodyOf(c), BODY_LIMIT)).toString('utf8');
  } catch (error) {
    if (isFlywheelError(error, 'too-large')) throw wireError('PayloadTooLarge', error.message);
    throw error;
  }
}
