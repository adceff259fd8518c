import { isFlywheelError } from '@flywheel/base';
import type { Cache } from '../db/metadata.ts';
import { openNar } from '../store/open-nar.ts';
import { authorize } from './authorize.ts';
import { ANSWERED, type Answer, type ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import { handOver } from './hand-over.ts';
import type { ApiParts } from './parts.ts';
import { parseRange } from './range.ts';
import type { Handler } from './router.ts';
import { sendNar } from './send-nar.ts';
import { parseStorePathFile } from './store-path-file.ts';
import { isStagedNarName } from './staged-nar.ts';
import { answerFromUpstream } from './upstream-nar.ts';
import { visibilityHeader } from './visibility.ts';

/** What every NAR is served as, by whomever. */
export const NAR_TYPE = 'application/x-nix-nar';

/** GET /{cache}/nar/{hash}.nar, compressed as stored, with length and ranges. */
export function getNar(parts: ApiParts): Handler {
  return async (c) => {
    const file = c.param('file');
    if (isStagedNarName(file)) return headStagedNar(parts, c, file);
    const { hash, suffix } = parseStorePathFile(file);
    if (suffix !== 'nar') throw wireError('NotFound');
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    let known = await parts.objects.find(cache, hash);
    // Again after each pull of another client that has failed, but not for ever.
    for (let turn = 0; known === undefined; turn += 1) {
      if (turn === 3) throw wireError('Unavailable', 'the upstream cache fails');
      const answered = await answerFromUpstream(parts, c, cache, hash);
      if (answered !== undefined) return answered;
      known = await parts.objects.find(cache, hash);
    }
    parts.uses.note(cache.id, hash);

    const { nar } = known.object;
    const headers: Record<string, string> = {
      'Content-Type': NAR_TYPE,
      'Accept-Ranges': 'bytes',
      // The stored bytes of one NAR differ when it is healed or repacked, so both are in the tag.
      ETag: `"${nar.hash.toString('hex').slice(0, 32)}-${nar.id}-${nar.fileSize}"`,
      ...visibilityHeader(cache),
    };
    const request = c.incoming.headers;
    const ifRange = request['if-range'];
    const mayRange = ifRange === undefined || ifRange === headers['ETag'];
    const range = mayRange ? parseRange(request.range, nar.fileSize) : undefined;
    if (range === 'unsatisfiable') {
      return c.body(null, 416, { ...headers, 'Content-Range': `bytes */${nar.fileSize}` });
    }
    const { start, end } = range ?? { start: 0, end: nar.fileSize };
    headers['Content-Length'] = String(end - start);
    if (range !== undefined) headers['Content-Range'] = `bytes ${start}-${end - 1}/${nar.fileSize}`;
    const status = range === undefined ? 200 : 206;

    const elsewhere = await whenIntact(parts, handOver(parts, nar, c.method));
    if (elsewhere !== undefined) {
      return c.body(null, elsewhere.status, { ...handedOverHeaders(cache), ...elsewhere.headers });
    }
    const open = await whenIntact(parts, openNar(parts.store, nar, { start, end }));
    if (c.method === 'HEAD') return c.body(null, status, headers);
    // Raw streams: Web streams were measured at 1.3 ms of CPU more per MB.
    c.outgoing.writeHead(status, headers);
    const { patienceMs } = c.exchange.body;
    parts.figures.downloads.sent += 1;
    parts.figures.downloadsInFlight += 1;
    await sendNar(c.outgoing, open, { start, end }, patienceMs).catch((error: unknown) => {
      // The head is out: all that is left to tell the client is a cut connection.
      parts.objects.clear();
      parts.logger.error('a NAR broke off while it was sent', { hash, cache: cache.name, error });
    });
    parts.figures.downloadsInFlight -= 1;
    parts.readChecks?.note(nar);
    return ANSWERED;
  };
}

/** Turns the news that a NAR's pack is damaged into the answer for it. */
async function whenIntact<T>(parts: ApiParts, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isFlywheelError(error, 'corrupt')) throw error;
    parts.objects.clear();
    throw wireError('IncompleteNar');
  }
}

/** What we say of a NAR that somebody else sends; ranges and length are his. */
export function handedOverHeaders(cache: Cache): Record<string, string> {
  return { 'Content-Type': NAR_TYPE, ...visibilityHeader(cache) };
}

/** `nix copy` asks with HEAD whether a NAR it is about to put is there already. */
async function headStagedNar(parts: ApiParts, c: ApiContext, file: string): Promise<Answer> {
  const { cache } = await authorize(parts, c, c.param('cache'), 'push');
  const nar = await parts.store.metadata.findStagedNar(cache.id, file);
  if (nar === undefined || c.method !== 'HEAD') throw wireError('NoSuchObject');
  return c.body(null, 200, { 'Content-Type': NAR_TYPE });
}
