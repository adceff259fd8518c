import { z } from 'zod';
import { parseJson } from './parse-json.ts';

const Wire = z.object({
  kind: z.string().optional().catch(undefined),
  file_size: z.number().nullish().catch(undefined),
  frac_deduplicated: z.number().nullish().catch(undefined),
});

/** What a server did with an upload. */
export interface UploadAnswer {
  /** Bytes it takes on the server, compressed. Absent when it did not say. */
  readonly fileSize?: number;
  /** The part of the NAR that the server had already, 0 to 1. */
  readonly deduplicated: number;
}

/** Reads the answer to an upload; after a good status any body will do, that is the protocol. */
export function parseUploadAnswer(text: string): UploadAnswer {
  const wire = Wire.safeParse(parseJson(text)).data ?? {};
  const fraction = wire.kind === 'Deduplicated' ? 1 : (wire.frac_deduplicated ?? 0);
  const deduplicated = Math.min(1, Math.max(0, fraction));
  return typeof wire.file_size === 'number'
    ? { fileSize: wire.file_size, deduplicated }
    : { deduplicated };
}
