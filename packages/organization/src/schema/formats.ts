// The kinds of text in organization.yaml. A title names the kind in the reference and for editors;
// a phrase continues an error message: `cache.subdomain: "x_y" is no DNS label: …`.
import { parseDuration } from '@flywheel/base';
import { z } from 'zod';
import { imageProblem, repositoryProblem } from '../formats/image-reference.ts';
import { parseQuantity } from '../formats/quantity.ts';
import { scheduleProblem } from '../formats/schedule.ts';

export const text = z.string().min(1, { error: 'is empty' }).meta({ title: 'text' });

/** RFC 1035: what Kubernetes takes as the name of a namespace or a service. */
export const dnsLabel = matching(
  'DNS label',
  /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  'is no DNS label: lowercase letters, digits and hyphens, at most 63, a letter first',
);

/** What CloudNativePG appends to it must fit as well. */
export const clusterName = matching(
  'name of a cluster',
  /^[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?$/,
  'is no name of a database cluster: lowercase letters, digits and hyphens, at most 50, a letter first',
);

/** Names of Kubernetes objects that may contain dots. */
export const objectName = matching(
  'object name',
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/,
  'is no name of a Kubernetes object: lowercase letters, digits, hyphens and dots, at most 253',
);

export const domainName = matching(
  'domain',
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  'is no domain, as in "flywheel.example.org"',
);

export const httpUrl = matching(
  'URL',
  /^https?:\/\/[^\s/@?#]+(?:\/[^\s?#@]*)?$/,
  'is no URL, as in "https://gitlab.example.org"',
);

/** A group or project of GitLab with all groups above it. */
export const gitlabPath = matching(
  'GitLab path',
  /^[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)*$/,
  'is no path of GitLab, as in "acme/platform"',
);

export const gitlabId = z
  .int({ error: 'is no id of GitLab, which is a number' })
  .positive({ error: 'is no id of GitLab, which counts from 1' })
  .meta({ title: 'GitLab id' });

/** The characters of S3's strictest rule, which every engine takes. */
export const bucketName = matching(
  'bucket name',
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  'is no name of a bucket: 3 to 63 lowercase letters, digits and hyphens',
);

export const duration = checked('duration', (value) =>
  isDuration(value) ? undefined : 'is no duration, as in "90s", "12h" or "30d"',
);

/** RFC 3339 with its zone, so that nobody has to know whose clock is meant. */
export const instant = checked('point in time', (value) =>
  isInstant(value) ? undefined : 'is no point in time, as in "2026-11-23T08:00:00Z"',
);

/** How long something is kept. */
export const period = checked('duration or forever', (value) =>
  value === 'forever' || isDuration(value)
    ? undefined
    : 'is neither a duration, as in "90d", nor forever',
);

export const byteSize = matching(
  'size',
  /^\d+(?:\.\d+)?(?:KiB|MiB|GiB|TiB|PiB)$/,
  'is no size, as in "500GiB"',
);

/** CPU, memory and disks of Kubernetes. YAML takes `2` for a number; Kubernetes takes both. */
export const quantity = z
  .preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    checked('quantity', (value) =>
      parseQuantity(value) === undefined
        ? 'is no quantity of Kubernetes, as in "500m", "2" or "10Gi"'
        : undefined,
    ),
  )
  .meta({ title: 'quantity' });

export const schedule = checked('schedule', scheduleProblem);
export const imageReference = checked('image', imageProblem);
export const imageRepository = checked('image repository', repositoryProblem);

export const cidr = checked('CIDR', (value) =>
  z.cidrv4().safeParse(value).success || z.cidrv6().safeParse(value).success
    ? undefined
    : 'is no block of addresses, as in "10.0.0.0/8"',
);

/** `cache.example.org-1:` and the 32 bytes of an Ed25519 key. */
export const publicKey = matching(
  'public key',
  /^[\w.-]+:[A-Za-z0-9+/]{43}=$/,
  'is no public key of a cache, as in "cache.nixos.org-1:6NCHdD59X…="',
);

/** Text of one form, which editors check as well. */
function matching(title: string, pattern: RegExp, phrase: string) {
  return z.string({ error: phrase }).regex(pattern, { error: phrase }).meta({ title });
}

/** Text that `problemOf` finds nothing wrong with. */
function checked(title: string, problemOf: (value: string) => string | undefined) {
  const error = ({ input }: { readonly input?: unknown }): string =>
    problemOf(String(input)) ?? 'is no text: put it in quotes';
  return z
    .string({ error })
    .refine((value) => problemOf(value) === undefined, { error })
    .meta({ title });
}

function isInstant(value: string): boolean {
  return z.iso.datetime({ offset: true }).safeParse(value).success;
}

function isDuration(value: string): boolean {
  try {
    parseDuration(value);
    return true;
  } catch {
    return false;
  }
}
