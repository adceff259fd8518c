import type { ApiParts } from './parts.ts';
import type { Handler } from './router.ts';

const HEADERS = { 'Cache-Control': 'no-store' };

/** GET /healthz: the process is alive. Nothing else is looked at: a restart would not mend it. */
export function healthz(): Handler {
  return (c) => c.json({ status: 'ok' }, 200, HEADERS);
}

/**
 * GET /readyz: requests may be sent here. A full disk does not count as a failure: it refuses pushes
 * with 507, while what is there is still served.
 */
export function readyz(parts: ApiParts): Handler {
  return async (c) => {
    if (parts.lifecycle.draining) return c.json({ status: 'draining' }, 503, HEADERS);
    const failing = await parts.readiness.failing();
    if (failing.length > 0) return c.json({ status: 'failing', failing }, 503, HEADERS);
    return c.json({ status: 'ready' }, 200, HEADERS);
  };
}
