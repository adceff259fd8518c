import { resolve } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { packPath } from '../blobs/folder.ts';
import { seenPacks, type HandedOver, type HandOver } from './hand-over.ts';

/** How the front server wants to be told which file to send. */
export type SendFile =
  | { readonly header: 'x-accel-redirect'; readonly prefix: string }
  | { readonly header: 'x-sendfile' };

/**
 * Reads `x-accel-redirect=/internal/prefix/` (nginx: a URI of an internal location whose alias is
 * the data directory) or `x-sendfile` (Apache, lighttpd: the path of the file). Throws
 * `invalid-input`.
 */
export function parseSendFile(text: string): SendFile {
  if (text === 'x-sendfile') return { header: 'x-sendfile' };
  const prefix = /^x-accel-redirect=(\/(?:[\w.~-]+\/)+)$/.exec(text)?.[1];
  if (prefix !== undefined) return { header: 'x-accel-redirect', prefix };
  throw new FlywheelError(
    'invalid-input',
    `"${text}" is no way to have a front server send files`,
    {
      details: { hint: 'write x-sendfile, or x-accel-redirect=/internal/ with slashes around it' },
    },
  );
}

/** Has the front server send the file of a pack below `root`; it sees to ranges and length. */
export function sendFileOf(root: string, sendFile: SendFile): HandOver {
  const answerNow = (key: string): HandedOver => ({
    status: 200,
    headers:
      sendFile.header === 'x-sendfile'
        ? { 'X-Sendfile': resolve(root, packPath(key)) }
        : { 'X-Accel-Redirect': sendFile.prefix + packPath(key) },
  });
  return {
    way: 'front-server',
    forHead: true,
    seen: seenPacks(),
    answerNow,
    async answer(key) {
      return answerNow(key);
    },
  };
}
