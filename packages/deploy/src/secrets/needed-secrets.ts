import type { Organization } from '@flywheel/organization';

/** A Secret by what it is for: its key under `secrets` in organization.yaml. */
export type SecretRole =
  'cacheKeys' | 'cacheDatabase' | 'cacheStorage' | 'backups' | 'minioRoot' | 'registry';

/** The entries of a Secret as text, by key. */
export type Values = Readonly<Record<string, string>>;

/** How new values are made; all of them are random. */
export interface SecretMaker {
  /** A key for the cache's tokens, with the name of its entry. */
  tokenKey(): { readonly entry: string; readonly text: string };
  /** Letters and digits. */
  random(length: number): string;
}

/** A Secret that the deployment of an environment reads. */
export interface NeededSecret {
  readonly role: SecretRole;
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly what: string;
  /** What must be in it; of none, any one entry will do. */
  readonly keys: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /**
   * All entries, given those that are there: only what is missing is made anew. Absent where only
   * somebody else can say the values.
   */
  readonly fill?: (there: Values, make: SecretMaker) => Values;
}

/** The names that `postgresql-cnpg` has by default. */
const DATABASE = { owner: 'flywheel', name: 'flywheel' } as const;
const ACCESS_KEY = 'access-key-id';
const SECRET_KEY = 'secret-access-key';
const BUCKET_KEYS = [ACCESS_KEY, SECRET_KEY] as const;

/** The Secrets that the stacks of this organization read, in one environment. */
export function neededSecrets(organization: Organization): readonly NeededSecret[] {
  const { cache, namespaces, secrets } = organization;
  if (!cache.enabled) return [];
  const base = { namespace: namespaces.cache, type: 'Opaque', labels: {} } as const;
  const needed: NeededSecret[] = [
    {
      ...base,
      role: 'cacheKeys',
      name: secrets.cacheKeys,
      what: "keys of the cache's tokens",
      keys: [],
      fill: (there, make) => (Object.keys(there).length > 0 ? there : firstKey(make)),
    },
    cache.database.engine === 'cnpg'
      ? ownedDatabase(base, secrets.cacheDatabase, cache.database.cnpg.name)
      : {
          ...base,
          role: 'cacheDatabase',
          name: secrets.cacheDatabase,
          what: 'URL of the PostgreSQL database',
          keys: ['url'],
        },
    {
      ...base,
      role: 'cacheStorage',
      name: secrets.cacheStorage,
      what: 'credentials of the bucket of packs',
      keys: BUCKET_KEYS,
      ...(cache.storage.engine === 'minio' ? { fill: fillBucket } : {}),
    },
  ];
  if (cache.storage.engine === 'minio') {
    const [user, password] = ['MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD'] as const;
    needed.push({
      ...base,
      role: 'minioRoot',
      name: secrets.minioRoot,
      what: 'administrator of MinIO',
      keys: [user, password],
      fill: (there, make) => ({ [user]: make.random(20), [password]: make.random(40), ...there }),
    });
  }
  if (cache.database.engine === 'cnpg' && cache.backups.enabled) {
    needed.push({
      ...base,
      role: 'backups',
      name: secrets.backups,
      what: 'credentials of the bucket of backups',
      keys: BUCKET_KEYS,
    });
  }
  if (secrets.registry !== undefined) {
    needed.push({
      ...base,
      role: 'registry',
      name: secrets.registry,
      type: 'kubernetes.io/dockerconfigjson',
      what: 'credentials of the registry of images',
      keys: ['.dockerconfigjson'],
    });
  }
  return needed;
}

/**
 * CloudNativePG takes name and password of the owner from a Secret of this type, and changes the
 * role when the Secret changes; the label says that it is to look at once.
 */
function ownedDatabase(
  base: Pick<NeededSecret, 'namespace'>,
  name: string,
  cluster: string,
): NeededSecret {
  const host = `${cluster}-rw.${base.namespace}.svc`;
  return {
    ...base,
    role: 'cacheDatabase',
    name,
    type: 'kubernetes.io/basic-auth',
    what: 'owner of the PostgreSQL database, and its URL',
    keys: ['username', 'password', 'url'],
    labels: { 'cnpg.io/reload': 'true' },
    fill(there, make) {
      const password = there['password'] ?? make.random(40);
      const url = `postgresql://${DATABASE.owner}:${encodeURIComponent(password)}@${host}:5432/${DATABASE.name}`;
      // The URL follows from the rest.
      return { username: DATABASE.owner, password, url };
    },
  };
}

function firstKey(make: SecretMaker): Values {
  const { entry, text } = make.tokenKey();
  return { [entry]: text };
}

function fillBucket(there: Values, make: SecretMaker): Values {
  return { [ACCESS_KEY]: make.random(20), [SECRET_KEY]: make.random(40), ...there };
}
