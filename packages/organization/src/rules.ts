// What keys say of each other. A rule gets the sections that could be read, with all defaults; what
// it names and the file does not, is shown at what is nearest above it.
import { parseDuration } from '@flywheel/base';
import { missing, originOf } from './describe-problem.ts';
import { parseQuantity } from './formats/quantity.ts';
import type { Issue } from './issue.ts';
import { formatKeyPath } from './key-path.ts';
import { fieldOf } from './layers/index.ts';
import type { MapNode, Node, Path } from './layers/index.ts';
import { mergeKeyOf } from './merge-keys.ts';
import type { Organization } from './schema/organization.ts';

interface Finding {
  readonly path: Path;
  /** Nothing when the key itself is what is missing. */
  readonly message?: string;
  readonly hint?: string;
}

type Sections = Partial<Organization>;
type Rule = (sections: Sections) => Iterable<Finding>;

const RULES: readonly Rule[] = [
  contextsAndDomainsAreUnique,
  namespacesAreApart,
  subdomainsAreApart,
  fewestIsAtMostMost,
  requestsAreWithinLimits,
  backupsGoElsewhere,
  restoresAreBesideTheirOrigin,
  minioHasEnoughServers,
  runnersReferToWhatIsThere,
  privilegedJobsAreApart,
  ingressIsComplete,
  staleIsLaterThanPolled,
  somebodyMaySignIn,
];

export function checkRules(tree: MapNode, sections: Sections): readonly Issue[] {
  const findings = RULES.flatMap((rule) => [...rule(sections)]).map(({ path, message, hint }) => {
    if (message === undefined) return { ...missing(tree, path), ...(hint ? { hint } : {}) };
    return { message, path, origin: originOf(tree, path), ...(hint ? { hint } : {}) };
  });
  return [...findings, ...duplicateItems(tree)];
}

function* contextsAndDomainsAreUnique({ environments = {} }: Sections): Generator<Finding> {
  for (const field of ['context', 'domain'] as const) {
    const owners = new Map<string, string>();
    for (const [name, environment] of Object.entries(environments)) {
      const value = environment[field];
      const owner = owners.get(value);
      owners.set(value, owner ?? name);
      if (owner === undefined) continue;
      const path = ['environments', name, field];
      yield {
        path,
        message: `${formatKeyPath(path)} is that of ${owner}, too: ${JSON.stringify(value)}`,
        hint: `Each environment has a ${field} of its own.`,
      };
    }
  }
}

function* namespacesAreApart({ namespaces = {} as never }: Sections): Generator<Finding> {
  yield* equalValues('namespaces', namespaces);
}

function* subdomainsAreApart({ cache, dashboard }: Sections): Generator<Finding> {
  if (!cache?.enabled || !dashboard?.enabled || cache.subdomain !== dashboard.subdomain) return;
  yield {
    path: ['dashboard', 'subdomain'],
    message: `dashboard.subdomain is that of the cache, too: "${cache.subdomain}"`,
  };
}

function* fewestIsAtMostMost({ cache, runners = {} }: Sections): Generator<Finding> {
  const ranges: [Path, { min: number; max: number }][] = Object.entries(runners).map(
    ([name, { scaling }]) => [['runners', name, 'scaling'], scaling],
  );
  if (cache !== undefined) ranges.unshift([['cache', 'replicas'], cache.replicas]);
  for (const [path, { min, max }] of ranges) {
    if (min <= max) continue;
    const key = formatKeyPath(path);
    yield { path: [...path, 'max'], message: `${key}.max is ${max}, less than ${key}.min, ${min}` };
  }
}

interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu?: string | undefined; readonly memory: string };
}

function* requestsAreWithinLimits(sections: Sections): Generator<Finding> {
  const { cache, scaler, dashboard, runners = {} } = sections;
  const all: [Path, Resources | undefined][] = [
    [['cache', 'resources'], cache?.resources],
    [['cache', 'storage', 'minio', 'resources'], cache?.storage.minio.resources],
    [['cache', 'database', 'cnpg', 'resources'], cache?.database.cnpg.resources],
    [['scaler', 'resources'], scaler?.resources],
    [['dashboard', 'resources'], dashboard?.resources],
    ...Object.entries(runners).map(([name, runner]): [Path, Resources] => [
      ['runners', name, 'resources'],
      runner.resources,
    ]),
  ];
  for (const [path, resources] of all) {
    for (const kind of ['cpu', 'memory'] as const) {
      const request = resources?.requests[kind];
      const limit = resources?.limits[kind];
      if (request === undefined || limit === undefined) continue;
      if ((parseQuantity(request) ?? 0) <= (parseQuantity(limit) ?? 0)) continue;
      const key = formatKeyPath(path);
      yield {
        path: [...path, 'limits', kind],
        message: `${key}.limits.${kind} is ${limit}, less than the ${request} of ${key}.requests.${kind}`,
      };
    }
  }
}

function* backupsGoElsewhere({ cache }: Sections): Generator<Finding> {
  if (cache === undefined) return;
  const { backups, database, storage } = cache;
  if (!cache.enabled || !backups.enabled || database.engine !== 'cnpg') return;
  if (backups.bucket === undefined) {
    yield {
      path: ['cache', 'backups', 'bucket'],
      hint: `Name a bucket that is not the cache's, or write "enabled: false" beside it.`,
    };
    return;
  }
  const sameServer = storage.engine === 's3' && storage.s3.endpoint === backups.endpoint;
  if (!sameServer || backups.bucket !== storage.bucket) return;
  yield {
    path: ['cache', 'backups', 'bucket'],
    message: `cache.backups.bucket is that of the packs, too: "${backups.bucket}"`,
    hint: 'Backups are for when that bucket is lost.',
  };
}

function* restoresAreBesideTheirOrigin({ cache }: Sections): Generator<Finding> {
  const { name, recovery } = cache?.database.cnpg ?? {};
  if (cache?.database.engine !== 'cnpg' || recovery === undefined) return;
  const path = ['cache', 'database', 'cnpg', 'recovery'];
  if (!cache.backups.enabled) {
    yield {
      path,
      message: 'cache.database.cnpg.recovery restores backups, and cache.backups.enabled is false',
    };
  }
  if (recovery.from !== name) return;
  yield {
    path: [...path, 'from'],
    message: `cache.database.cnpg.recovery.from is the name of the cluster itself: "${name}"`,
    hint: 'A restore makes a new cluster: give cache.database.cnpg.name another one.',
  };
}

function* minioHasEnoughServers({ cache }: Sections): Generator<Finding> {
  const servers = cache?.storage.minio.servers ?? 1;
  if (cache?.storage.engine !== 'minio' || servers === 1 || servers >= 4) return;
  yield {
    path: ['cache', 'storage', 'minio', 'servers'],
    message: `cache.storage.minio.servers is ${servers}; MinIO runs on 1, or on 4 and more`,
  };
}

function* runnersReferToWhatIsThere(sections: Sections): Generator<Finding> {
  const { cache, gitlab, runners = {} } = sections;
  for (const [name, runner] of Object.entries(runners)) {
    const path = ['runners', name];
    const caches = Object.keys(cache?.caches ?? {});
    if (cache !== undefined && runner.cache !== undefined && !caches.includes(runner.cache)) {
      yield {
        path: [...path, 'cache'],
        message: `${formatKeyPath([...path, 'cache'])} is "${runner.cache}", which is not in cache.caches`,
        hint: `There are: ${caches.join(', ') || 'none'}.`,
      };
    }
    const projects = Object.keys(gitlab?.projects ?? {});
    if (runner.scope === 'project' && runner.project === undefined) {
      yield { path: [...path, 'project'] };
    } else if (gitlab && runner.project !== undefined && !projects.includes(runner.project)) {
      yield {
        path: [...path, 'project'],
        message: `${formatKeyPath([...path, 'project'])} is "${runner.project}", which is not in gitlab.projects`,
        hint: `There are: ${projects.join(', ') || 'none'}.`,
      };
    }
  }
}

function* privilegedJobsAreApart({ runners = {}, namespaces }: Sections): Generator<Finding> {
  for (const [name, { kind, isolation }] of Object.entries(runners)) {
    const path = ['runners', name, 'isolation'];
    if (kind === 'dind' && isolation.level !== 'privileged') {
      yield {
        path: [...path, 'level'],
        message: `${formatKeyPath([...path, 'level'])} is ${isolation.level}; a Docker daemon needs privileged`,
      };
      continue;
    }
    if (isolation.level !== 'privileged') continue;
    if (isolation.namespace !== undefined && isolation.namespace !== namespaces?.jobs) continue;
    yield {
      path: [...path, 'namespace'],
      message: `${formatKeyPath(path)} is privileged in the namespace of all other jobs`,
      hint: `Write a namespace of its own: ${formatKeyPath([...path, 'namespace'])}.`,
    };
  }
}

function* ingressIsComplete({ ingress }: Sections): Generator<Finding> {
  if (ingress?.kind === 'gateway' && ingress.gateway === undefined) {
    yield { path: ['ingress', 'gateway'] };
  }
  if (ingress?.tls.issuer !== undefined && ingress.tls.secret !== undefined) {
    yield {
      path: ['ingress', 'tls', 'secret'],
      message: 'ingress.tls has an issuer and a secret; certificates come from one of them',
    };
  }
}

function* staleIsLaterThanPolled({ scaler }: Sections): Generator<Finding> {
  if (!scaler || parseDuration(scaler.staleAfter) > parseDuration(scaler.pollInterval)) return;
  yield {
    path: ['scaler', 'staleAfter'],
    message: `scaler.staleAfter is ${scaler.staleAfter}, not longer than scaler.pollInterval, ${scaler.pollInterval}`,
    hint: 'Every answer would be too old, and nothing would ever scale.',
  };
}

function* somebodyMaySignIn({ dashboard }: Sections): Generator<Finding> {
  if (!dashboard?.enabled || dashboard.access.length > 0) return;
  yield {
    path: ['dashboard', 'access'],
    message: 'dashboard.access is empty: nobody could sign in',
    hint: 'Name a group and its role, or write "enabled: false" under dashboard.',
  };
}

function* equalValues(
  section: string,
  values: Readonly<Record<string, string>>,
): Generator<Finding> {
  const owners = new Map<string, string>();
  for (const [name, value] of Object.entries(values)) {
    const owner = owners.get(value);
    if (owner === undefined) owners.set(value, name);
    else {
      yield {
        path: [section, name],
        message: `${section}.${name} is that of ${section}.${owner}, too: "${value}"`,
      };
    }
  }
}

/** Two items that layers could not tell apart. */
function duplicateItems(node: Node, path: Path = []): readonly Issue[] {
  if (node.kind === 'scalar') return [];
  if (node.kind === 'map') {
    return [...node.entries].flatMap(([key, { value }]) => duplicateItems(value, [...path, key]));
  }
  const field = mergeKeyOf(path.map(String));
  const seen = new Set<string>();
  return node.items.flatMap((item, index) => {
    const inner = duplicateItems(item, [...path, index]);
    const name = field === undefined ? undefined : fieldOf(item, field);
    if (name === undefined) return inner;
    if (!seen.has(name)) {
      seen.add(name);
      return inner;
    }
    const message = `${formatKeyPath(path)} has two items with the ${field} "${name}"`;
    const at = [...path, index, field ?? ''];
    return [{ message, path: at, origin: originOf(item, [field ?? '']) }, ...inner];
  });
}
