import { codeOfStatus, FlywheelError, isFlywheelError, retry } from '@flywheel/base';
import { findCluster } from './find-cluster.ts';
import { Transport } from './transport.ts';
import type { ClusterAnswer, ClusterRequest, TransportOptions } from './transport.ts';

/** What all objects of Kubernetes have; the rest is their kind's. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly [field: string]: unknown;
}

/** Who wrote a field, as Kubernetes keeps it. */
const FIELD_MANAGER = 'flywheel';

/**
 * The few requests to a cluster that flywheel makes itself. Paths begin at the root of the API, as in
 * `/api/v1/namespaces/NAME/secrets/NAME`. What the API server refuses is thrown: `unauthorized`,
 * `forbidden`, `not-found`, `conflict`, `invalid-input`, or `unavailable`.
 */
export class KubernetesClient {
  readonly context: string;
  readonly #transport: Transport;
  readonly #signal: AbortSignal | undefined;

  constructor(context: string, transport: Transport, signal?: AbortSignal) {
    this.context = context;
    this.#transport = transport;
    this.#signal = signal;
  }

  /** Undefined when there is no such object, or no such kind of objects. */
  async get<T = KubernetesObject>(path: string): Promise<T | undefined> {
    const answer = await this.#patiently({ method: 'GET', path });
    if (answer.status === 404) return undefined;
    return this.#read(answer, `get ${path}`) as T;
  }

  async list<T = KubernetesObject>(path: string): Promise<readonly T[]> {
    const answer = await this.#patiently({ method: 'GET', path });
    const { items } = this.#read(answer, `list ${path}`) as { readonly items: readonly T[] };
    return items;
  }

  /** Also for reviews, whose answer is what they are for. */
  async create<T = KubernetesObject>(path: string, object: unknown): Promise<T> {
    const body = JSON.stringify(object);
    const query = `${path.includes('?') ? '&' : '?'}fieldManager=${FIELD_MANAGER}`;
    const answer = await this.#transport.send({
      method: 'POST',
      path: path + query,
      body,
      contentType: 'application/json',
    });
    return this.#read(answer, `create ${path}`) as T;
  }

  /**
   * Server-side apply: makes the object, or changes what this manager owns of it and takes away what
   * it owned and does not name any more. A field of another manager is a `conflict`.
   */
  async apply(path: string, object: KubernetesObject): Promise<KubernetesObject> {
    const answer = await this.#patiently({
      method: 'PATCH',
      path: `${path}?fieldManager=${FIELD_MANAGER}`,
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify(object),
    });
    return this.#read(answer, `apply ${path}`) as KubernetesObject;
  }

  /** A merge patch (RFC 7386). */
  async merge(path: string, patch: unknown): Promise<KubernetesObject> {
    const answer = await this.#transport.send({
      method: 'PATCH',
      path: `${path}?fieldManager=${FIELD_MANAGER}`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify(patch),
    });
    return this.#read(answer, `change ${path}`) as KubernetesObject;
  }

  /** Nothing happens when it is not there. */
  async remove(path: string): Promise<void> {
    const answer = await this.#transport.send({
      method: 'DELETE',
      path: `${path}?propagationPolicy=Background`,
    });
    if (answer.status !== 404) this.#read(answer, `remove ${path}`);
  }

  async #patiently(request: ClusterRequest): Promise<ClusterAnswer> {
    return await retry(
      async () => {
        const answer = await this.#transport.send(request);
        if (answer.status === 429 || answer.status >= 500) throw refusal(answer, request.path);
        return answer;
      },
      {
        attempts: 3,
        firstDelayMs: 200,
        when: (error) => isFlywheelError(error, 'unavailable'),
        ...(this.#signal === undefined ? {} : { signal: this.#signal }),
      },
    );
  }

  #read(answer: ClusterAnswer, attempted: string): unknown {
    if (answer.status < 200 || answer.status > 299) throw refusal(answer, attempted);
    return JSON.parse(answer.text);
  }
}

/** Connects to the cluster of a context. Nothing is asked yet. Throws as `findCluster` does. */
export async function connectCluster(
  context: string,
  options: TransportOptions & { readonly home: string },
): Promise<KubernetesClient> {
  const access = await findCluster(context, options);
  return new KubernetesClient(context, new Transport(access, options), options.signal);
}

function refusal({ status, text }: ClusterAnswer, attempted: string): FlywheelError {
  const code = codeOfStatus(status);
  return new FlywheelError(code, `${attempted}: ${statusMessage(text) ?? `status ${status}`}`, {
    details: status === 401 ? { hint: 'The kubeconfig has no valid credentials any more.' } : {},
  });
}

/** The API server says why in an object of kind Status; a proxy before it may say anything. */
function statusMessage(text: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(text) as { kind?: unknown; message?: unknown };
    return kind === 'Status' && typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
