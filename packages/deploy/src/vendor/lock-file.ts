import { FlywheelError } from '@flywheel/base';
import { parseDocument } from 'yaml';
import { z } from 'zod';

/** What a lock file says of one published manifest. */
export interface LockedManifest {
  readonly name: string;
  readonly version: string;
  /** Where its project publishes this version. */
  readonly url: string;
  /** Hexadecimal; absent until somebody has recorded it. */
  readonly sha256?: string;
}

/** Both become names of files. */
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,62}$/;

const LockFile = z.strictObject({
  manifests: z.record(
    z.string().regex(NAME, { error: 'is no name: lowercase letters, digits and hyphens' }),
    z.strictObject({
      version: z.string().regex(VERSION, { error: 'is no version, as in 1.30.0; quote it' }),
      url: z.string().regex(/^https:\/\/[^\s@]+$/, { error: 'is no https URL' }),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, { error: 'is no SHA-256: 64 lowercase hexadecimal digits' })
        .optional(),
    }),
  ),
});

/**
 * The manifests of a lock file such as config/vendor.lock.yaml, in its order; `{version}` in a URL is
 * replaced. Throws `invalid-input` with every mistake.
 */
export function parseLockFile(text: string, file: string): readonly LockedManifest[] {
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(file, [broken.message.split('\n')[0] ?? '']);
  const parsed = LockFile.safeParse(document.toJS());
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );
    throw invalid(file, mistakes);
  }
  return Object.entries(parsed.data.manifests).map(([name, { version, url, sha256 }]) => ({
    name,
    version,
    url: url.replaceAll('{version}', version),
    ...(sha256 === undefined ? {} : { sha256 }),
  }));
}

/** The text with another digest of one manifest; comments and everything else stay. */
export function withDigest(text: string, name: string, sha256: string): string {
  const document = parseDocument(text);
  document.setIn(['manifests', name, 'sha256'], sha256);
  return document.toString({ lineWidth: 0 });
}

function invalid(file: string, mistakes: readonly string[]): FlywheelError {
  return new FlywheelError('invalid-input', `${file} is no lock file of manifests`, {
    details: { hint: mistakes.join('\n') },
  });
}
