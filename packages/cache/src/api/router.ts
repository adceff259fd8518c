import type { Answer, ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import type { RouteName } from './exchange.ts';

export type Handler = (c: ApiContext) => Answer | Promise<Answer>;
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Handlers = Partial<Record<Method, Handler>>;

interface Route {
  /** As in the path; one that begins with a colon is a name for whatever stands there. */
  readonly segments: readonly string[];
  readonly handlers: Handlers;
}

/** Leads paths to endpoints. Of several routes that fit, the first one counts. */
export class Router {
  readonly #bySegments = new Map<number, Route[]>();

  /**
   * One path with its methods, `/:cache/nar/:file`. Any other method is 405 with `Allow` and no body;
   * HEAD follows GET.
   */
  route(path: string, handlers: Handlers): void {
    const segments = segmentsOf(path);
    const routes = this.#bySegments.get(segments.length) ?? [];
    routes.push({ segments, handlers });
    this.#bySegments.set(segments.length, routes);
  }

  /** The endpoint for this request; undefined for a path without a route. Tells `c` its params. */
  find(c: ApiContext): Handler | undefined {
    const segments = segmentsOf(c.path).map(decodeSegment);
    for (const route of this.#bySegments.get(segments.length) ?? []) {
      const params = match(route, segments);
      if (params === undefined) continue;
      c.params = params;
      const method = c.method === 'HEAD' ? 'GET' : c.method;
      return Object.hasOwn(route.handlers, method)
        ? route.handlers[method as Method]
        : () => c.body(null, 405, { Allow: allowed(route.handlers) });
    }
    return undefined;
  }

  /** Throws NotFound for a path without a route. */
  async answer(c: ApiContext): Promise<Answer> {
    const handler = this.find(c);
    if (handler === undefined) throw wireError('NotFound');
    return handler(c);
  }
}

/** The endpoint under the name that metrics and the request log give it. */
export function named(name: RouteName, handler: Handler): Handler {
  return (c) => {
    c.exchange.route = name;
    return handler(c);
  };
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').slice(1);
}

function match(route: Route, segments: readonly string[]): Map<string, string> | undefined {
  const params = new Map<string, string>();
  for (const [i, wanted] of route.segments.entries()) {
    const segment = segments[i] as string;
    if (!wanted.startsWith(':')) {
      if (segment !== wanted) return undefined;
    } else if (segment === '') return undefined;
    else params.set(wanted.slice(1), segment);
  }
  return params;
}

function allowed(handlers: Handlers): string {
  return Object.keys(handlers)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(',');
}

/** What does not decode stays as it is: no name here has a `%`, so it leads nowhere. */
function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
