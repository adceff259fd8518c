// The kinds of text in organization.yaml. A title names the kind in the reference and for editors;
// an error message continues "cache.subdomain is "x_y", …".
import { parseDuration } from '@flywheel/base';
import { z } from 'zod';
import { imageProblem, repositoryProblem } from '../formats/image-reference.ts';
import { parseQuantity } from '../formats/quantity.ts';
import { scheduleProblem } from '../formats/schedule.ts';

export const text = z.string().min(1, { error: 'is empty' }).meta({ title: 'text' });

/** RFC 1035: what Kubernetes takes as the name of a namespace or a service. */
export const dnsLabel = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'is no DNS label: lowercase letters, digits and hyphens, at most 63, a letter first',
  })
  .meta({ title: 'DNS label' });

/** Names of Kubernetes objects that may contain dots. */
export const objectName = z
  .string()
  .max(253, { error: 'has more than 253 characters' })
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/, {
    error: 'is no name of a Kubernetes object: lowercase letters, digits, hyphens and dots',
  })
  .meta({ title: 'object name' });

export const domainName = z
  .string()
  .max(253, { error: 'has more than 253 characters' })
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'is no domain, as in "flywheel.example.org"',
  })
  .meta({ title: 'domain' });

export const httpUrl = z
  .string()
  .regex(/^https?:\/\/[^\s/@?#]+(?:\/[^\s?#@]*)?$/, {
    error: 'is no URL, as in "https://gitlab.example.org"',
  })
  .meta({ title: 'URL' });

/** A group or project of GitLab with all groups above it. */
export const gitlabPath = z
  .string()
  .regex(/^[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)*$/, {
    error: 'is no path of GitLab, as in "acme/platform"',
  })
  .meta({ title: 'GitLab path' });

export const gitlabId = z
  .int()
  .positive({ error: 'is no id: GitLab counts from 1' })
  .meta({ title: 'GitLab id' });

/** The characters of S3's strictest rule, which every engine takes. */
export const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, {
    error: 'is no name of a bucket: 3 to 63 lowercase letters, digits and hyphens',
  })
  .meta({ title: 'bucket name' });

export const duration = custom('duration', (value) => {
  try {
    parseDuration(value);
    return undefined;
  } catch {
    return 'is no duration, as in "90s", "12h" or "30d"';
  }
});

export const byteSize = z
  .string()
  .regex(/^\d+(?:\.\d+)?(?:KiB|MiB|GiB|TiB|PiB)$/, { error: 'is no size, as in "500GiB"' })
  .meta({ title: 'size' });

/** CPU, memory and disks of Kubernetes. YAML takes `2` for a number; Kubernetes takes both. */
export const quantity = z
  .preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    custom('quantity', (value) =>
      parseQuantity(value) === undefined
        ? 'is no quantity of Kubernetes, as in "500m", "2" or "10Gi"'
        : undefined,
    ),
  )
  .meta({ title: 'quantity' });

export const schedule = custom('schedule', scheduleProblem);
export const imageReference = custom('image', imageProblem);
export const imageRepository = custom('image repository', repositoryProblem);

export const cidr = custom('CIDR', (value) =>
  z.cidrv4().safeParse(value).success || z.cidrv6().safeParse(value).success
    ? undefined
    : 'is no block of addresses, as in "10.0.0.0/8"',
);

/** Text that `problemOf` finds nothing wrong with. */
function custom(title: string, problemOf: (value: string) => string | undefined) {
  return z
    .string()
    .refine((value) => problemOf(value) === undefined, {
      error: ({ input }) => problemOf(String(input)) ?? 'is wrong',
    })
    .meta({ title });
}
