import { unauthorized } from './authorize.ts';
import type { ApiParts } from './parts.ts';
import type { Handler } from './router.ts';
import { mayReadFigures } from './status.ts';

/** GET /metrics, for those who may read the figures of the status page. */
export function metrics(parts: ApiParts, text: () => Promise<string>): Handler {
  const answer = openMetrics(text);
  return async (c) => {
    if (!(await mayReadFigures(parts, c))) throw await unauthorized(parts, c);
    return answer(c);
  };
}

/** GET /metrics on a listener of its own, where the network decides who comes. */
export function openMetrics(text: () => Promise<string>): Handler {
  return async (c) =>
    c.body(await text(), 200, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Cache-Control': 'no-store',
    });
}
