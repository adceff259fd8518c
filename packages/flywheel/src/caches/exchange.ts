import { resolve } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { exchangeIdToken } from './identity-api.ts';
import { writeNetrcEntry } from './netrc.ts';

export interface ExchangeFlags extends OutputFlags, Pick<ServerFlags, 'server' | 'data'> {
  readonly idTokenEnv: string;
  readonly netrc?: string;
}

/** Turns the ID token of a CI job into a token of the cache: on stdout, or in a netrc. */
export async function runExchange(context: CliContext, flags: ExchangeFlags): Promise<void> {
  const output = createOutput(context, flags);
  const idToken = context.process.env[flags.idTokenEnv]?.trim() ?? '';
  if (idToken === '') {
    throw new FlywheelError('not-found', `the environment has no ${flags.idTokenEnv}`, {
      details: {
        hint: `In .gitlab-ci.yml the job needs id_tokens: { ${flags.idTokenEnv}: { aud: … } }.`,
      },
    });
  }
  const { endpoint } = await findServer(context, flags);
  const exchanged = await exchangeIdToken({ endpoint }, idToken, context.signal);
  const { access_token: token, expires_at: expiresAt, rule, grants } = exchanged;
  if (flags.netrc === undefined) {
    output.print(token);
    output.result(exchanged);
    return;
  }
  const file = resolve(context.cwd, flags.netrc);
  const { hostname } = new URL(endpoint);
  await writeNetrcEntry(file, hostname, token);
  output.print(
    `Wrote the token for ${hostname} to ${file}: by the rule "${rule}", until ${expiresAt}.`,
  );
  output.result({ netrc: file, machine: hostname, rule, grants, expires_at: expiresAt });
}
