import type { SignUrl } from '../blobs/s3-presign.ts';
import { seenPacks, type HandOver } from './hand-over.ts';

/** Clients follow at once, and a transfer may go on after that. */
const EXPIRES_SECONDS = 300;

/** Sends clients to a URL of the object store that holds for a few minutes. */
export function redirectTo(signUrl: SignUrl, contentType: string): HandOver {
  return {
    way: 'redirected',
    forHead: false,
    seen: seenPacks(),
    async answer(key) {
      const Location = await signUrl(key, { contentType, expiresSeconds: EXPIRES_SECONDS });
      // A kept one would outlive the URL, and let others in than those it was given to.
      return { status: 307, headers: { Location, 'Cache-Control': 'no-store' } };
    },
  };
}
