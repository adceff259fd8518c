/**
 * The name of the one pack that an upload may write, made from its lease. What a killed upload
 * leaves is therefore known by name: nothing is ever deleted only because the database does not
 * know it, which after the loss or the restoration of a database would be everything.
 *
 * Not named after its content: S3 wants the name before the bytes, and two uploads of one NAR may
 * differ in what they found stored. What is in it, its own index says.
 */
export function packKeyOf(lease: string): string {
  return `${lease.slice(0, 2)}/${lease}.pack`;
}

/** The lease of the upload that wrote a pack. */
export function leaseOfPackKey(key: string): string {
  return key.slice(key.indexOf('/') + 1, -'.pack'.length);
}
