import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fingerprint, formatNarInfo, generateSecretKey, SecretKey } from '@flywheel/nix';
import type { SamplePath } from './harness.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A binary cache elsewhere, as plain files, that can be told to misbehave. */
export interface UpstreamDouble extends AsyncDisposable {
  /** Ends in `/`. */
  readonly url: string;
  readonly publicKey: string;
  /** Paths of all requests. */
  readonly requests: string[];
  /** Offers a path: its narinfo, signed, and its NAR as `file`. */
  offer(path: SamplePath, options?: OfferOptions): void;
  /** What is asked for under this path is answered so. */
  answer(path: string, answer: Answer): void;
  /** From now on every request is; undefined: as usual. */
  answerAll(answer: Answer | undefined): void;
}

export interface OfferOptions {
  readonly compression?: string;
  /** What is sent, compressed; default the plain NAR. */
  readonly file?: Buffer;
  readonly url?: string;
  readonly references?: readonly string[];
  /** Signs instead of the upstream's own key. */
  readonly key?: SecretKey;
}

export async function startUpstreamDouble(): Promise<UpstreamDouble> {
  const key = SecretKey.parse(generateSecretKey('upstream-1'));
  const answers = new Map<string, Answer>();
  const requests: string[] = [];
  let forAll: Answer | undefined;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const answer = forAll ?? answers.get(path);
    if (answer !== undefined) answer(request, response);
    else response.writeHead(404).end('absent');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    publicKey: key.publicKey,
    requests,
    offer(path, options = {}) {
      const { compression = 'none', file = path.nar, references = [] } = options;
      const url = options.url ?? `nar/${path.hash}.file`;
      const facts = { storePath: path.storePath, narHash: path.narHash, references };
      const narSize = path.nar.length;
      const signature = (options.key ?? key).sign(fingerprint({ ...facts, narSize }));
      const text = formatNarInfo({ ...facts, narSize, url, compression, sigs: [signature] });
      answers.set(`/${path.hash}.narinfo`, (_, response) => void response.end(text));
      answers.set(`/nar/${path.hash}.file`, (_, response) => void response.end(file));
    },
    answer: (path, answer) => void answers.set(path, answer),
    answerAll: (answer) => void (forAll = answer),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
