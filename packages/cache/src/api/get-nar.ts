import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { isFlywheelError } from '@flywheel/base';
import { openNar } from '../store/open-nar.ts';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import type { ApiContext, ApiParts, Handler } from './parts.ts';
import { parseRange } from './range.ts';
import { sendNar } from './send-nar.ts';
import { parseStorePathFile } from './store-path-file.ts';
import { isStagedNarName } from './staged-nar.ts';
import { answerFromUpstream } from './upstream-nar.ts';
import { visibilityHeader } from './visibility.ts';

/** GET /{cache}/nar/{hash}.nar, compressed as stored, with length and ranges. */
export function getNar(parts: ApiParts): Handler {
  return async (c) => {
    const file = c.req.param('file') ?? '';
    if (isStagedNarName(file)) return headStagedNar(parts, c, file);
    const { hash, suffix } = parseStorePathFile(file);
    if (suffix !== 'nar') throw wireError('NotFound');
    const { cache } = await authorize(parts, c, c.req.param('cache') ?? '', 'pull');
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
      'Content-Type': 'application/x-nix-nar',
      'Accept-Ranges': 'bytes',
      // The stored bytes of one NAR differ when it is healed or repacked, so both are in the tag.
      ETag: `"${nar.hash.toString('hex').slice(0, 32)}-${nar.id}-${nar.fileSize}"`,
      ...visibilityHeader(cache),
    };
    const request = c.env.incoming.headers;
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

    const open = await openNar(parts.store, nar).catch((error: unknown) => {
      if (!isFlywheelError(error, 'corrupt')) throw error;
      parts.objects.clear();
      throw wireError('IncompleteNar');
    });
    if (c.req.method === 'HEAD') return c.body(null, status, headers);
    // Raw streams: Web streams were measured at 1.3 ms of CPU more per MB.
    c.env.outgoing.writeHead(status, headers);
    const { patienceMs } = c.env.exchange.body;
    parts.figures.downloadsInFlight += 1;
    await sendNar(c.env.outgoing, open, { start, end }, patienceMs).catch((error: unknown) => {
      // The head is out: all that is left to tell the client is a cut connection.
      parts.objects.clear();
      parts.logger.error('a NAR broke off while it was sent', { hash, cache: cache.name, error });
    });
    parts.figures.downloadsInFlight -= 1;
    return RESPONSE_ALREADY_SENT;
  };
}

/** `nix copy` asks with HEAD whether a NAR it is about to put is there already. */
async function headStagedNar(parts: ApiParts, c: ApiContext, file: string): Promise<Response> {
  const { cache } = await authorize(parts, c, c.req.param('cache') ?? '', 'push');
  const nar = await parts.store.metadata.findStagedNar(cache.id, file);
  if (nar === undefined || c.req.method !== 'HEAD') throw wireError('NoSuchObject');
  return c.body(null, 200, { 'Content-Type': 'application/x-nix-nar' });
}
