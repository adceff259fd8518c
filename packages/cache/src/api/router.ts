import type { Hono } from 'hono';
import type { RouteName } from './exchange.ts';
import type { ApiEnv, Handler } from './parts.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One path with its methods; any other method is 405 with `Allow` and no body. HEAD follows GET. */
export function route(
  app: Hono<ApiEnv>,
  path: string,
  handlers: Partial<Record<Method, Handler>>,
): void {
  const methods = Object.keys(handlers) as Method[];
  for (const method of methods) app.on(method, path, handlers[method] as Handler);
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  app.all(path, (c) => c.body(null, 405, { Allow: allow.join(',') }));
}

/** The endpoint under the name that metrics and the request log give it. */
export function named(name: RouteName, handler: Handler): Handler {
  return (c) => {
    c.env.exchange.route = name;
    return handler(c);
  };
}
