import type { IncomingMessage } from 'node:http';
import { authorizeFromMemory } from './authorize.ts';
import { errorReply, wireError } from './error-response.ts';
import { isServedHost } from './host.ts';
import type { ApiParts } from './parts.ts';
import { waitForTurn } from './rate-limit.ts';
import { narInfoOf } from './rendered-narinfo.ts';
import { jsonReply, type Reply } from './reply.ts';

const SUFFIX = '.narinfo';
const HASH_CHARACTERS = 32;

const { status, body } = errorReply(wireError('NoSuchObject'));
const ABSENT = jsonReply(status, body);

/**
 * The answer to a narinfo that was asked for a moment ago, whether it is there or not. Undefined,
 * with nothing done, when memory does not hold all that the answer takes: then the endpoint answers.
 * What this leaves out is what makes a request cost five times as much: the router, promises, and
 * the objects Request, Response and Headers.
 */
export function narInfoShortcut(parts: ApiParts): (incoming: IncomingMessage) => Reply | undefined {
  const { settings, objects, figures, uses } = parts;
  return (incoming) => {
    const { method, url = '', headers } = incoming;
    if ((method !== 'GET' && method !== 'HEAD') || !url.endsWith(SUFFIX)) return undefined;
    const end = url.length - SUFFIX.length;
    const slash = end - HASH_CHARACTERS - 1;
    if (slash < 0 || url[slash] !== '/' || !isServedHost(settings, headers.host)) return undefined;
    // Neither name nor hash is checked here: nothing malformed has ever been remembered.
    const known = authorizeFromMemory(parts, headers.authorization, url.slice(1, slash), 'pull');
    if (known === undefined) return undefined;
    const { cache, claims } = known;
    const hash = url.slice(slash + 1, end);
    const object = objects.recall(cache, hash);
    if (object === 'absent' && cache.upstreams.length > 0) return undefined;
    if (object === undefined || waitForTurn(parts, incoming, claims) > 0) return undefined;
    if (object === 'absent') {
      figures.narInfoMisses += 1;
      return ABSENT;
    }
    figures.narInfoHits += 1;
    uses.note(cache.id, hash);
    return narInfoOf(cache, object);
  };
}
