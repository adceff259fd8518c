import { z } from 'zod';

/** Milliseconds since the epoch of a time as Attic keeps it: text in SQLite, a timestamp else. */
export function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime();
  if (typeof value !== 'string') return undefined;
  // `2024-05-06 07:08:09.123456789 +00:00` and `2024-05-06T07:08:09.123456789+00:00` are the same;
  // Date wants the second, and no more than milliseconds.
  const text = value
    .trim()
    .replace(/^(\S+) /, '$1T')
    .replace(' ', '')
    .replace(/(\.\d{3})\d+/, '$1');
  const time = Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(time) ? undefined : time;
}

const Texts = z.array(z.string());

/** A list of strings in JSON; undefined when it is none. */
export function textsOf(value: unknown): readonly string[] | undefined {
  return Texts.safeParse(jsonOf(value)).data;
}

/** Where an object of Attic lies, as its row says. */
export type RemoteFile =
  | { readonly kind: 'folder'; readonly name: string }
  | {
      readonly kind: 's3';
      readonly region: string;
      readonly bucket: string;
      readonly name: string;
    };

const Remote = z.union([
  z.object({ Local: z.object({ name: z.string() }) }),
  z.object({ S3: z.object({ region: z.string(), bucket: z.string(), key: z.string() }) }),
]);

/** Undefined for what is none, and for objects at a plain URL, which Attic never writes. */
export function remoteFileOf(value: unknown): RemoteFile | undefined {
  const remote = Remote.safeParse(jsonOf(value)).data;
  if (remote === undefined) return undefined;
  if ('Local' in remote) return { kind: 'folder', name: remote.Local.name };
  const { region, bucket, key } = remote.S3;
  return { kind: 's3', region, bucket, name: key };
}

function jsonOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}
