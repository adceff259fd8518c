import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signJwt } from './jwt.ts';

/** Plays the part of GitLab that issues ID tokens: real keys, GitLab's claims and documents. */
export interface GitLabIssuer extends AsyncDisposable {
  /** As in `iss`. */
  readonly url: string;
  /** A token as a job gets it; `changes` to its claims, undefined removes one. */
  idToken(changes?: Readonly<Record<string, unknown>>): string;
  /** From now on another key signs, and the document names it too. */
  rotateKey(): void;
  /** How often its keys were asked for. */
  readonly keyRequests: () => number;
  /** It answers nothing but 503 while this is set. */
  down: boolean;
  cacheControl: string | undefined;
}

export const AUDIENCE = 'https://cache.example.org';

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export async function startGitLabIssuer(): Promise<GitLabIssuer> {
  const keys: SigningKey[] = [];
  let keyRequests = 0;
  const server = createServer((request, response) => {
    const send = (value: unknown): void => {
      response.setHeader('Content-Type', 'application/json');
      if (issuer.cacheControl !== undefined) {
        response.setHeader('Cache-Control', issuer.cacheControl);
      }
      response.end(JSON.stringify(value));
    };
    if (issuer.down) {
      response.writeHead(503).end();
    } else if (request.url === '/.well-known/openid-configuration') {
      send({ issuer: issuer.url, jwks_uri: `${issuer.url}/oauth/discovery/keys` });
    } else if (request.url === '/oauth/discovery/keys') {
      keyRequests += 1;
      send({ keys: keys.map(publicJwk) });
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const issuer: GitLabIssuer = {
    url: `http://127.0.0.1:${port}`,
    down: false,
    cacheControl: undefined,
    keyRequests: () => keyRequests,
    rotateKey: () => void keys.push(newKey(keys.length)),
    idToken(changes = {}) {
      const { kid, privateKey } = keys.at(-1) as SigningKey;
      const now = Math.floor(Date.now() / 1000);
      const times = { iat: now, nbf: now - 5, exp: now + 3600 };
      const claims = { ...CLAIMS, iss: issuer.url, ...times, ...changes };
      const given = Object.entries(claims).filter(([, value]) => value !== undefined);
      return signJwt(Object.fromEntries(given), privateKey, { kid });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  issuer.rotateKey();
  return issuer;
}

function newKey(number: number): SigningKey {
  return { kid: `key-${number}`, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

function publicJwk({ kid, publicKey }: SigningKey): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

/** Of a job on a protected branch. GitLab writes numbers and booleans as strings. */
const CLAIMS = {
  namespace_id: '72',
  namespace_path: 'group',
  project_id: '4711',
  project_path: 'group/app',
  user_id: '5',
  user_login: 'ada',
  user_email: 'ada@example.org',
  user_access_level: 'developer',
  pipeline_id: '1212',
  pipeline_source: 'push',
  job_id: '2424',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  runner_id: 1,
  runner_environment: 'self-hosted',
  sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
  project_visibility: 'private',
  ci_config_ref_uri: 'gitlab.example.org/group/app//.gitlab-ci.yml@refs/heads/main',
  jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
  sub: 'project_path:group/app:ref_type:branch:ref:main',
  aud: AUDIENCE,
};
