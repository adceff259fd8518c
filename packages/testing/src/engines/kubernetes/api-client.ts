import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { json } from 'node:stream/consumers';
import { FlywheelError } from '@flywheel/base';

const TIMEOUT_MS = 20_000;

export interface ApiServer {
  readonly server: string;
  /** The file with its certificate. */
  readonly authority: string;
  readonly token: string;
}

/** For who asks so often that a process for each question would be too much. */
export class ApiClient implements Disposable {
  readonly #api: ApiServer;
  readonly #agent: Agent;

  private constructor(api: ApiServer, ca: Buffer) {
    this.#api = api;
    this.#agent = new Agent({ keepAlive: true, ca });
  }

  static async open(api: ApiServer): Promise<ApiClient> {
    return new ApiClient(api, await readFile(api.authority));
  }

  /** What the API server answers to a path. Throws when that is no success. */
  async get(path: string): Promise<unknown> {
    const asked = request(new URL(path, this.#api.server), {
      agent: this.#agent,
      headers: { Authorization: `Bearer ${this.#api.token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const body = await json(answer);
    if (answer.statusCode === 200) return body;
    throw new FlywheelError('unavailable', `GET ${path}: ${answer.statusCode}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
