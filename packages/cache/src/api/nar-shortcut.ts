import type { IncomingMessage } from 'node:http';
import { authorizeFromMemory } from './authorize.ts';
import { handedOverHeaders } from './get-nar.ts';
import { handOverNow } from './hand-over.ts';
import { isServedHost } from './host.ts';
import type { ApiParts } from './parts.ts';
import { waitForTurn } from './rate-limit.ts';
import type { Reply } from './reply.ts';

const PATH = /^\/([^/]+)\/nar\/([0-9a-z]{32})\.nar$/;

/**
 * Tells the front server to send a NAR that was asked for a moment ago, as `narInfoShortcut` answers
 * for narinfos and for the same reason. Undefined, with nothing done, when memory does not hold all
 * that it takes.
 */
export function narShortcut(parts: ApiParts): (incoming: IncomingMessage) => Reply | undefined {
  const { settings, objects, uses } = parts;
  return (incoming) => {
    const { method, url = '', headers } = incoming;
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    const [, name = '', hash = ''] = PATH.exec(url) ?? [];
    if (name === '' || !isServedHost(settings, headers.host)) return undefined;
    const caller = authorizeFromMemory(parts, headers.authorization, name, 'pull');
    if (caller === undefined) return undefined;
    const { cache, claims } = caller;
    const known = objects.recall(cache, hash);
    if (known === undefined || known === 'absent') return undefined;
    const answer = handOverNow(parts, known.object.nar, method);
    if (answer === undefined || waitForTurn(parts, incoming, claims) > 0) return undefined;
    uses.note(cache.id, hash);
    const all = { ...handedOverHeaders(cache), 'Content-Length': '0', ...answer.headers };
    return { status: answer.status, headers: Object.entries(all).flat(), body: '' };
  };
}
