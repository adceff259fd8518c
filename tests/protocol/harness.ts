import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  dataDirectory,
  grantsOf,
  KeyRing,
  mintToken,
  newTokenId,
  readKeyFolder,
  startCacheServer,
  type CacheServer,
  type CacheServerOptions,
  type Permission,
} from '@flywheel/cache';
import { encodeNar, makeFixedOutputPath, parseStorePath, type NarNode } from '@flywheel/nix';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  json(): unknown;
}

export interface RequestOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** A string or buffer is sent with Content-Length, a list in chunks. */
  readonly body?: string | Buffer | readonly Buffer[];
  readonly setHost?: boolean;
}

/** A cache server of its own, in a folder of its own, and HTTP without a client's conveniences. */
export interface TestServer {
  readonly server: CacheServer;
  readonly dataDir: string;
  request(method: string, path: string, options?: RequestOptions): Promise<Reply>;
  /** A token with these grants, or the admin's without any. */
  token(grants: Partial<Record<Permission, readonly string[]>>): Promise<string>;
  createCache(name: string, settings?: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export async function startTestServer(
  options: Partial<CacheServerOptions> = {},
): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'flywheel-protocol-')));
  const server = await startCacheServer({
    dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    ...options,
  });
  const self: TestServer = {
    server,
    dataDir,
    request: (method, path, requestOptions) => send(server.url, method, path, requestOptions),
    async token(patterns) {
      const now = Math.floor(Date.now() / 1000);
      const files = await readKeyFolder(dataDirectory(dataDir).tokenKeys);
      return mintToken(new KeyRing(files.map(({ key }) => key)).signer, {
        id: newTokenId(),
        subject: 'test',
        issuedAt: now - 1,
        expiresAt: now + 600,
        grants: grantsOf(patterns),
      });
    },
    async createCache(name, settings = {}) {
      const reply = await self.request('POST', `/_api/v1/cache-config/${name}`, {
        token: server.adminToken,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ...NEW_CACHE, ...settings }),
      });
      if (reply.status !== 200) throw new Error(`create ${name}: ${reply.status} ${reply.text}`);
    },
    async close() {
      await server.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true });
    },
  };
  return self;
}

/** What the stock client sends with `attic cache create`. */
export const NEW_CACHE = {
  keypair: 'Generate',
  is_public: false,
  store_dir: '/nix/store',
  priority: 41,
  upstream_cache_key_names: ['cache.nixos.org-1'],
};

function send(
  base: string,
  method: string,
  path: string,
  { token, headers = {}, body, setHost = true }: RequestOptions = {},
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const { hostname, port } = new URL(base);
  const request = httpRequest(
    {
      hostname,
      port,
      method,
      // As it is: no normalization may hide what the server must cope with.
      path,
      setHost,
      agent: false,
      headers: { ...headers, ...(token === undefined ? {} : { Authorization: `bearer ${token}` }) },
    },
    (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(pieces);
        const text = whole.toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          text,
          json: () => JSON.parse(text) as unknown,
        });
      });
    },
  );
  request.on('error', reject);
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    request.setHeader('Content-Length', Buffer.byteLength(body));
    request.end(body);
  } else {
    for (const piece of body ?? []) request.write(piece);
    request.end();
  }
  return promise;
}

/** A store path with its NAR, and the upload info that the stock client sends for it. */
export interface SamplePath {
  readonly storePath: string;
  readonly hash: string;
  readonly nar: Buffer;
  readonly narHash: Buffer;
  info(cache: string, changes?: Record<string, unknown>): Record<string, unknown>;
}

export async function samplePath(
  name: string,
  content: string | Buffer | NarNode,
  references: readonly string[] = [],
): Promise<SamplePath> {
  const node: NarNode =
    typeof content === 'string' || Buffer.isBuffer(content)
      ? {
          type: 'regular',
          executable: false,
          size: Buffer.byteLength(content),
          contents: () => [Buffer.from(content)],
        }
      : content;
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeNar(node)) pieces.push(piece);
  const nar = Buffer.concat(pieces);
  const narHash = createHash('sha256').update(nar).digest();
  const storePath = makeFixedOutputPath({ method: 'recursive', hash: narHash, name });
  const { hash } = parseStorePath(storePath);
  return {
    storePath,
    hash,
    nar,
    narHash,
    info: (cache, changes) => ({
      cache,
      store_path_hash: hash,
      store_path: storePath,
      references,
      system: null,
      deriver: null,
      sigs: [],
      ca: null,
      nar_hash: `sha256:${narHash.toString('hex')}`,
      nar_size: nar.length,
      ...changes,
    }),
  };
}

/** Uploads as the stock client does: info in the header, the NAR in chunks. */
export async function upload(
  server: TestServer,
  path: SamplePath,
  cache: string,
  changes: Record<string, unknown> = {},
  token = server.server.adminToken,
): Promise<Reply> {
  const info = JSON.stringify(path.info(cache, changes));
  return server.request('PUT', '/_api/v1/upload-path', {
    token,
    headers: { 'X-Attic-Nar-Info': Buffer.from(info, 'utf8').toString('latin1') },
    body: [path.nar],
  });
}

/** The body of an error in Attic's form. */
export function wireError(code: number, error: string, message?: string): Record<string, unknown> {
  return message === undefined ? { code, error } : { code, error, message };
}
