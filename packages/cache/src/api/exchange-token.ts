import { FlywheelError } from '@flywheel/base';
import { formatGrants } from '../access/grant-list.ts';
import { mintToken, newTokenId } from '../access/mint.ts';
import { chooseRule, type IdTokenClaims } from '../access/oidc/choose-rule.ts';
import { verifyIdToken } from '../access/oidc/id-token.ts';
import type { ExchangePolicy, TrustedIssuer } from '../access/oidc/policy.ts';
import { audit } from './audit.ts';
import type { ApiContext } from './context.ts';
import { CHALLENGE, wireError } from './error-response.ts';
import { readExchangeRequest } from './exchange-request.ts';
import type { ApiParts } from './parts.ts';
import { tooMany } from './rate-limit.ts';
import { remoteAddressOf } from './remote-address.ts';
import type { Handler } from './router.ts';
import { NO_STORE } from './tokens.ts';

/**
 * POST /_flywheel/v1/exchange: a token for an ID token of GitLab, as the policy says. In JSON
 * (`{"id_token": …}`) or as OAuth 2.0 Token Exchange (RFC 8693); with `Accept: text/plain` the answer
 * is the token alone, for scripts.
 */
export function exchangeToken(parts: ApiParts): Handler {
  return async (c) => {
    const policy = parts.identity.exchangePolicy();
    if (policy === undefined) {
      throw wireError('NotFound', 'this server exchanges no tokens: it has no policy');
    }
    const wait = parts.identity.rates.exchange(remoteAddressOf(parts.settings, c.incoming));
    if (wait > 0) throw tooMany(wait);
    const idToken = await readExchangeRequest(c);
    const { token, id, rule, expiresAt } = await exchange(parts, c, policy, idToken);
    if (c.incoming.headers.accept === 'text/plain') return c.text(`${token}\n`, 200, NO_STORE);
    const answer = {
      access_token: token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_type: 'Bearer',
      expires_in: rule.ttlSeconds,
      expires_at: new Date(expiresAt * 1000).toISOString(),
      id,
      rule: rule.name,
      grants: formatGrants(rule.grants),
    };
    return c.json(answer, 200, NO_STORE);
  };
}

async function exchange(parts: ApiParts, c: ApiContext, policy: ExchangePolicy, idToken: string) {
  const { identity, clock, store } = parts;
  const keysOf = (issuer: TrustedIssuer) => identity.issuerKeys(issuer);
  const trusted = await verifyIdToken(idToken, policy, keysOf, clock.now());
  if ('refused' in trusted) throw refusal(`The ID token is refused: ${trusted.refused}.`);
  const { issuer, claims } = trusted;
  const subject = subjectOf(issuer, claims);
  const choice = chooseRule(issuer, claims);
  if ('unfit' in choice) {
    await audit(parts, c, { action: 'exchange-token', target: subject, result: 'refused' });
    throw refusal(unfitText(claims, choice.unfit));
  }
  const { rule } = choice;
  const issuedAt = Math.floor(clock.now() / 1000);
  const expiresAt = issuedAt + rule.ttlSeconds;
  const id = newTokenId();
  const key = identity.keys().signer;
  const { grants } = rule;
  const token = await mintToken(key, { id, subject, issuedAt, expiresAt, grants });
  await store.metadata.addToken({
    id,
    subject,
    grants: JSON.stringify(formatGrants(grants)),
    kid: key.kid,
    origin: 'exchange',
    createdBy: `${issuer.issuer} ${rule.name}`,
    createdWith: textOf(claims['jti']),
    expiresAt: expiresAt * 1000,
  });
  await audit(parts, c, { action: 'exchange-token', target: `${id} for ${subject}` });
  return { token, id, rule, expiresAt };
}

/** Shown with what the token does: numbers for certainty, the path and the ref for people. */
function subjectOf({ issuer }: TrustedIssuer, claims: IdTokenClaims): string {
  const parts = ['project_id', 'project_path', 'ref'].map((name) => textOf(claims[name]) ?? '');
  return [new URL(issuer).host, ...parts].join(':').slice(0, 500);
}

function textOf(claim: unknown): string | undefined {
  if (typeof claim !== 'string' && typeof claim !== 'number') return undefined;
  return String(claim)
    .replaceAll(/\p{Cc}/gu, '?')
    .slice(0, 200);
}

function unfitText(claims: IdTokenClaims, unfit: readonly string[]): string {
  const { project_id: project, namespace_id: namespace } = claims;
  if (unfit.length === 0) {
    return `The ID token is good, but no rule is for project_id ${textOf(project)} or namespace_id ${textOf(namespace)}.`;
  }
  const said = unfit.map((name) => `${name} ${JSON.stringify(textOf(claims[name]) ?? null)}`);
  return `The ID token is good, but no rule for its project takes it with ${said.join(', ')}.`;
}

function refusal(message: string): FlywheelError {
  const challenge = `${CHALLENGE}, error="invalid_token"`;
  return new FlywheelError('unauthorized', message, {
    details: { wire: 'Unauthorized', challenge },
  });
}
