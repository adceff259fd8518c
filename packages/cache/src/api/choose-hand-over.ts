import { FlywheelError } from '@flywheel/base';
import type { SignUrl } from '../blobs/s3-presign.ts';
import { NAR_TYPE } from './get-nar.ts';
import type { HandOver } from './hand-over.ts';
import { redirectTo } from './redirect.ts';
import { sendFileOf, type SendFile } from './send-file.ts';

/** How NARs reach clients: through us, or from the object store we redirect them to. */
export type Downloads = 'proxy' | 'redirect';

/** Throws `invalid-input` for a choice that does not fit the place of the packs. */
export function chooseHandOver(
  options: {
    readonly dataDir: string;
    readonly downloads?: Downloads | undefined;
    readonly sendFile?: SendFile | undefined;
  },
  { s3 }: { readonly s3: { readonly signUrl: SignUrl } | undefined },
): HandOver | undefined {
  const { dataDir, downloads = 'proxy', sendFile } = options;
  if (sendFile !== undefined && s3 !== undefined) {
    throw invalid(
      'a front server cannot send packs that are in S3',
      'leave --send-file away; --downloads redirect sends clients to the bucket',
    );
  }
  if (downloads === 'redirect' && s3 === undefined) {
    throw invalid(
      'clients can only be redirected to S3, and the packs are in a folder',
      'leave --downloads redirect away; --send-file lets a front server send files',
    );
  }
  if (sendFile !== undefined) return sendFileOf(dataDir, sendFile);
  return downloads === 'redirect' && s3 !== undefined
    ? redirectTo(s3.signUrl, NAR_TYPE)
    : undefined;
}

function invalid(message: string, hint: string): FlywheelError {
  return new FlywheelError('invalid-input', message, { details: { hint } });
}
