import { expect, test } from 'vitest';
import { loadOverLeast, mistakesIn } from './test-organization.ts';

test.each([
  [
    'an unknown key, with the one that was meant',
    `cache:
  replicas: { mix: 3 }
`,
    `o.yaml:2:15: there is no key "mix" in cache.replicas
    2 |   replicas: { mix: 3 }
      |               ^^^
        Did you mean "min"?
        Allowed: min, max, cpuPercent.`,
  ],
  [
    'an unknown key that is known elsewhere',
    `cache:
  instances: 3
`,
    `o.yaml:2:3: there is no key "instances" in cache
    2 |   instances: 3
      |   ^^^^^^^^^
        There is cache.database.cnpg.instances.
        Allowed: enabled, subdomain, caches, retention, keyAlgorithm, auditDays, downloads, replicas, resources, storage, database, backups.`,
  ],
  [
    'an unknown section',
    `caches: {}
`,
    `o.yaml:1:1: there is no key "caches" at the top of the file
    1 | caches: {}
      | ^^^^^^
        Did you mean "cache"?
        Allowed: apiVersion, organization, gitlab, environments, namespaces, secrets, ingress, cache, runners, scaler, dashboard, monitoring, networkPolicy, images.`,
  ],
  [
    'a version that is not known',
    `apiVersion: flywheel/v2
`,
    `o.yaml:1:13: apiVersion is "flywheel/v2", not flywheel/v1
    1 | apiVersion: flywheel/v2
      |             ^^^^^^^^^^^
        Did you mean "flywheel/v1"?`,
  ],
  [
    'a missing key, at what is above it',
    `runners:
  arm: { tags: [arm] }
`,
    `o.yaml:2:3: runners.arm.image is missing
    2 |   arm: { tags: [arm] }
      |   ^^^
        Image of jobs that name none.`,
  ],
  [
    'a key without a value',
    `gitlab:
  url:
`,
    `o.yaml:2:7: gitlab.url has no value
    2 |   url:
      |       ^
        Write one, or remove the key.`,
  ],
  [
    'a map where a value belongs',
    `cache:
  retention: { days: 3 }
`,
    `o.yaml:2:14: cache.retention is neither a duration, as in "90d", nor forever
    2 |   retention: { days: 3 }
      |              ^^^^^^^^^^^`,
  ],
  [
    'a value where a map belongs',
    `cache: yes
`,
    `o.yaml:1:8: cache is "yes", not a map
    1 | cache: yes
      |        ^^^`,
  ],
  [
    'a list where a map belongs',
    `runners:
  - docker
`,
    `o.yaml:2:3: runners is a list, not a map by name
    2 |   - docker
      |   ^^^^^^^^`,
  ],
  [
    'a word of YAML 1.1',
    `scaler:
  enabled: no
`,
    `o.yaml:2:12: scaler.enabled is "no", not true or false
    2 |   enabled: no
      |            ^^
        YAML 1.2 takes this for a word: write true or false.`,
  ],
  [
    'a number that is text',
    `images:
  tag: 1.10
`,
    `o.yaml:2:8: images.tag is the number 1.1, not text
    2 |   tag: 1.10
      |        ^^^^
        Put it in quotes: "1.10".`,
  ],
  [
    'text that is a number',
    `gitlab:
  groupId: "7"
`,
    `o.yaml:2:12: gitlab.groupId: "7" is no id of GitLab, which is a number
    2 |   groupId: "7"
      |            ^^^
        Remove the quotes.`,
  ],
  [
    'a word that is not one of those allowed',
    `cache:
  downloads: redirct
`,
    `o.yaml:2:14: cache.downloads is "redirct", not one of proxy, redirect
    2 |   downloads: redirct
      |              ^^^^^^^
        Did you mean "redirect"?`,
  ],
  [
    'a number out of bounds',
    `cache:
  replicas: { min: 0 }
`,
    `o.yaml:2:20: cache.replicas.min is the number 0; it is at least 1
    2 |   replicas: { min: 0 }
      |                    ^`,
  ],
  [
    'a port out of bounds',
    `networkPolicy:
  egress: [{ name: a, cidrs: [10.0.0.0/8], ports: [70000] }]
`,
    `o.yaml:2:52: networkPolicy.egress[0].ports[0] is the number 70000; it is at most 65535
    2 |   egress: [{ name: a, cidrs: [10.0.0.0/8], ports: [70000] }]
      |                                                    ^^^^^`,
  ],
  [
    'a fraction',
    `cache:
  auditDays: 1.5
`,
    `o.yaml:2:14: cache.auditDays is the number 1.5, not a whole number
    2 |   auditDays: 1.5
      |              ^^^`,
  ],
  [
    'an empty list',
    `runners:
  docker: { tags: [] }
`,
    `o.yaml:2:19: runners.docker.tags is empty
    2 |   docker: { tags: [] }
      |                   ^^`,
  ],
  [
    'an empty text',
    `organization: { title: "" }
`,
    `o.yaml:1:24: organization.title is empty
    1 | organization: { title: "" }
      |                        ^^`,
  ],
  [
    'a name that is no DNS label',
    `cache:
  caches: { My_Cache: {} }
`,
    `o.yaml:2:13: the name "My_Cache" is no DNS label: lowercase letters, digits and hyphens, at most 63, a letter first
    2 |   caches: { My_Cache: {} }
      |             ^^^^^^^^`,
  ],
  [
    'a domain',
    `environments: { production: { domain: localhost } }
`,
    `o.yaml:1:39: environments.production.domain: "localhost" is no domain, as in "flywheel.example.org"
    1 | environments: { production: { domain: localhost } }
      |                                       ^^^^^^^^^`,
  ],
  [
    'a URL',
    `gitlab: { url: gitlab.example.org }
`,
    `o.yaml:1:16: gitlab.url: "gitlab.example.org" is no URL, as in "https://gitlab.example.org"
    1 | gitlab: { url: gitlab.example.org }
      |                ^^^^^^^^^^^^^^^^^^`,
  ],
  [
    'a path of GitLab',
    `gitlab: { group: /acme }
`,
    `o.yaml:1:18: gitlab.group: "/acme" is no path of GitLab, as in "acme/platform"
    1 | gitlab: { group: /acme }
      |                  ^^^^^`,
  ],
  [
    'a bucket',
    `cache: { storage: { bucket: My.Bucket } }
`,
    `o.yaml:1:29: cache.storage.bucket: "My.Bucket" is no name of a bucket: 3 to 63 lowercase letters, digits and hyphens
    1 | cache: { storage: { bucket: My.Bucket } }
      |                             ^^^^^^^^^`,
  ],
  [
    'a duration',
    `scaler: { pollInterval: 10 }
`,
    `o.yaml:1:25: scaler.pollInterval: the number 10 is no duration, as in "90s", "12h" or "30d"
    1 | scaler: { pollInterval: 10 }
      |                         ^^`,
  ],
  [
    'a period',
    `cache: { retention: always }
`,
    `o.yaml:1:21: cache.retention: "always" is neither a duration, as in "90d", nor forever
    1 | cache: { retention: always }
      |                     ^^^^^^`,
  ],
  [
    'a size',
    `cache: { caches: { main: { quota: 5GB } } }
`,
    `o.yaml:1:35: cache.caches.main.quota: "5GB" is no size, as in "500GiB"
    1 | cache: { caches: { main: { quota: 5GB } } }
      |                                   ^^^`,
  ],
  [
    'a quantity',
    `cache: { database: { cnpg: { size: 10GB } } }
`,
    `o.yaml:1:36: cache.database.cnpg.size: "10GB" is no quantity of Kubernetes, as in "500m", "2" or "10Gi"
    1 | cache: { database: { cnpg: { size: 10GB } } }
      |                                    ^^^^`,
  ],
  [
    'a schedule of five fields',
    `cache: { backups: { schedule: 0 0 * * * } }
`,
    `o.yaml:1:31: cache.backups.schedule: "0 0 * * *" has 5 fields, not six: second minute hour day month weekday, as in "0 0 3 * * *"
    1 | cache: { backups: { schedule: 0 0 * * * } }
      |                               ^^^^^^^^^`,
  ],
  [
    'an image without a registry',
    `runners: { docker: { image: debian:12 } }
`,
    `o.yaml:1:29: runners.docker.image: "debian:12" is no reference of an image with its registry, as in "docker.io/library/debian:12-slim"
    1 | runners: { docker: { image: debian:12 } }
      |                             ^^^^^^^^^`,
  ],
  [
    'an image that floats',
    `images: { minio: quay.io/minio/minio:latest }
`,
    `o.yaml:1:18: images.minio: "quay.io/minio/minio:latest" has the tag "latest", which is another image every day
    1 | images: { minio: quay.io/minio/minio:latest }
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^`,
  ],
  [
    'a block of addresses',
    `networkPolicy: { blocked: [10.0.0.0/40] }
`,
    `o.yaml:1:28: networkPolicy.blocked[0]: "10.0.0.0/40" is no block of addresses, as in "10.0.0.0/8"
    1 | networkPolicy: { blocked: [10.0.0.0/40] }
      |                            ^^^^^^^^^^^`,
  ],
  [
    'a public key',
    `cache: { caches: { main: { upstreams: [{ url: https://x.org, publicKeys: [abc] }] } } }
`,
    `o.yaml:1:75: cache.caches.main.upstreams[0].publicKeys[0]: "abc" is no public key of a cache, as in "cache.nixos.org-1:6NCHdD59X…="
    1 | cache: { caches: { main: { upstreams: [{ url: https://x.org, publicKeys: [abc] }] } } }
      |                                                                           ^^^`,
  ],
  [
    'a secret, without showing it',
    `secrets:
  gitlab: glpat-aaaaaaaaaaaaaaaaaaaa
`,
    `o.yaml:2:11: secrets.gitlab holds a token of GitLab
    2 |   gitlab: ••••••••••••••••••••••••••
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^
        Secrets never stand in this file: put it into a Kubernetes Secret, whose name stands
        under "secrets". Revoke this one if the file was committed or shared.`,
  ],
  [
    'a secret under a key that is not there',
    `gitlab: { token: glpat-aaaaaaaaaaaaaaaaaaaa }
`,
    `o.yaml:1:11: there is no key "token" in gitlab
    1 | gitlab: { token: •••••••••••••••••••••••••• }
      |           ^^^^^
        Allowed: url, group, groupId, deployProject, projects.
o.yaml:1:18: gitlab.token holds a token of GitLab
    1 | gitlab: { token: •••••••••••••••••••••••••• }
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^
        Secrets never stand in this file: put it into a Kubernetes Secret, whose name stands
        under "secrets". Revoke this one if the file was committed or shared.`,
  ],
  [
    'a context of two environments',
    `environments:
  staging: { role: staging, context: prod, domain: y.org }
`,
    `o.yaml:2:38: environments.staging.context is that of production, too: "prod"
    2 |   staging: { role: staging, context: prod, domain: y.org }
      |                                      ^^^^
        Each environment has a context of its own.`,
  ],
  [
    'a domain of two environments',
    `environments:
  staging: { role: staging, context: stage, domain: example.org }
`,
    `o.yaml:2:53: environments.staging.domain is that of production, too: "example.org"
    2 |   staging: { role: staging, context: stage, domain: example.org }
      |                                                     ^^^^^^^^^^^
        Each environment has a domain of its own.`,
  ],
  [
    'no environment',
    `environments: { production: { $delete: true } }
`,
    `o.yaml:1:15: environments is empty: name one environment
    1 | environments: { production: { $delete: true } }
      |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^`,
  ],
  [
    'a namespace for two things',
    `namespaces: { jobs: flywheel-runners }
`,
    `o.yaml:1:21: namespaces.jobs is that of namespaces.runners, too: "flywheel-runners"
    1 | namespaces: { jobs: flywheel-runners }
      |                     ^^^^^^^^^^^^^^^^`,
  ],
  [
    'a subdomain for two things',
    `dashboard: { subdomain: cache }
`,
    `o.yaml:1:25: dashboard.subdomain is that of the cache, too: "cache"
    1 | dashboard: { subdomain: cache }
      |                         ^^^^^`,
  ],
  [
    'fewest above most',
    `runners: { docker: { scaling: { min: 9 } } }
`,
    `o.yaml:1:22: runners.docker.scaling.max is 5, less than runners.docker.scaling.min, 9
    1 | runners: { docker: { scaling: { min: 9 } } }
      |                      ^^^^^^^`,
  ],
  [
    'a request above its limit',
    `cache: { resources: { limits: { memory: 128Mi } } }
`,
    `o.yaml:1:41: cache.resources.limits.memory is 128Mi, less than the 256Mi of cache.resources.requests.memory
    1 | cache: { resources: { limits: { memory: 128Mi } } }
      |                                         ^^^^^`,
  ],
  [
    'backups without a bucket',
    `cache: { backups: { enabled: true } }
`,
    `o.yaml:1:10: cache.backups.bucket is missing
    1 | cache: { backups: { enabled: true } }
      |          ^^^^^^^
        Name a bucket that is not the cache's, or write "enabled: false" beside it.`,
  ],
  [
    'backups beside the packs',
    `cache:
  storage: { engine: s3, bucket: packs }
  backups: { enabled: true, bucket: packs }
`,
    `o.yaml:3:37: cache.backups.bucket is that of the packs, too: "packs"
    3 |   backups: { enabled: true, bucket: packs }
      |                                     ^^^^^
        Backups are for when that bucket is lost.`,
  ],
  [
    'a restore into the cluster that is restored',
    `cache:
  backups: { enabled: true, bucket: backups }
  database: { cnpg: { recovery: { from: attic-db } } }
`,
    `o.yaml:3:41: cache.database.cnpg.recovery.from is the name of the cluster itself: "attic-db"
    3 |   database: { cnpg: { recovery: { from: attic-db } } }
      |                                         ^^^^^^^^
        A restore makes a new cluster: give cache.database.cnpg.name another one.`,
  ],
  [
    'a restore without backups',
    `cache:
  backups: { enabled: false }
  database: { cnpg: { name: db-2, recovery: { from: attic-db } } }
`,
    `o.yaml:3:35: cache.database.cnpg.recovery restores backups, and cache.backups.enabled is false
    3 |   database: { cnpg: { name: db-2, recovery: { from: attic-db } } }
      |                                   ^^^^^^^^`,
  ],
  [
    'a restore up to a time of no zone',
    `cache:
  backups: { enabled: true, bucket: backups }
  database: { cnpg: { name: db-2, recovery: { from: attic-db, until: 2026-11-23T08:00:00 } } }
`,
    `o.yaml:3:70: cache.database.cnpg.recovery.until: "2026-11-23T08:00:00" is no point in time, as in "2026-11-23T08:00:00Z"
    3 |   database: { cnpg: { name: db-2, recovery: { from: attic-db, until: 2026-11-23T08:00:00 } } }
      |                                                                      ^^^^^^^^^^^^^^^^^^^`,
  ],
  [
    'too few servers of MinIO',
    `cache: { storage: { minio: { servers: 2 } } }
`,
    `o.yaml:1:39: cache.storage.minio.servers is 2; MinIO runs on 1, or on 4 and more
    1 | cache: { storage: { minio: { servers: 2 } } }
      |                                       ^`,
  ],
  [
    'a cache that is not there',
    `cache: { caches: { main: {} } }
runners: { docker: { cache: mian } }
`,
    `o.yaml:2:29: runners.docker.cache is "mian", which is not in cache.caches
    2 | runners: { docker: { cache: mian } }
      |                             ^^^^
        There are: main.`,
  ],
  [
    'a project that is not there',
    `runners: { docker: { scope: project, project: kernel } }
`,
    `o.yaml:1:47: runners.docker.project is "kernel", which is not in gitlab.projects
    1 | runners: { docker: { scope: project, project: kernel } }
      |                                               ^^^^^^
        There are: none.`,
  ],
  [
    'no project',
    `runners: { docker: { scope: project } }
`,
    `o.yaml:1:12: runners.docker.project is missing
    1 | runners: { docker: { scope: project } }
      |            ^^^^^^
        Which of gitlab.projects, with scope: project.`,
  ],
  [
    'a Docker daemon without privileges',
    `runners: { docker: { kind: dind } }
`,
    `o.yaml:1:12: runners.docker.isolation.level is restricted; a Docker daemon needs privileged
    1 | runners: { docker: { kind: dind } }
      |            ^^^^^^`,
  ],
  [
    'privileged jobs among others',
    `runners: { docker: { isolation: { level: privileged } } }
`,
    `o.yaml:1:22: runners.docker.isolation is privileged in the namespace of all other jobs
    1 | runners: { docker: { isolation: { level: privileged } } }
      |                      ^^^^^^^^^
        Write a namespace of its own: runners.docker.isolation.namespace.`,
  ],
  [
    'a gateway without its name',
    `ingress: { kind: gateway }
`,
    `o.yaml:1:1: ingress.gateway is missing
    1 | ingress: { kind: gateway }
      | ^^^^^^^
        Gateway that routes attach to, with kind: gateway.`,
  ],
  [
    'certificates from two places',
    `ingress: { tls: { issuer: a, secret: b } }
`,
    `o.yaml:1:38: ingress.tls has an issuer and a secret; certificates come from one of them
    1 | ingress: { tls: { issuer: a, secret: b } }
      |                                      ^`,
  ],
  [
    'answers that are always too old',
    `scaler: { staleAfter: 5s }
`,
    `o.yaml:1:23: scaler.staleAfter is 5s, not longer than scaler.pollInterval, 10s
    1 | scaler: { staleAfter: 5s }
      |                       ^^
        Every answer would be too old, and nothing would ever scale.`,
  ],
  [
    'nobody who may sign in',
    `dashboard: { access: [{ $replace: true }] }
`,
    `o.yaml:1:14: dashboard.access is empty: nobody could sign in
    1 | dashboard: { access: [{ $replace: true }] }
      |              ^^^^^^
        Name a group and its role, or write "enabled: false" under dashboard.`,
  ],
  [
    'two items of one name',
    `images:
  mirrors:
    - { registry: docker.io, mirror: a.org }
    - { registry: docker.io, mirror: b.org }
`,
    `o.yaml:4:19: images.mirrors has two items with the registry "docker.io"
    4 |     - { registry: docker.io, mirror: b.org }
      |                   ^^^^^^^^^`,
  ],
  [
    'a $delete of what is not there',
    `runners: { dokcer: { $delete: true } }
`,
    `o.yaml:1:20: no lower layer has runners.dokcer, so there is nothing to delete
    1 | runners: { dokcer: { $delete: true } }
      |                    ^^^^^^^^^^^^^^^^^
        Did you mean "docker"?`,
  ],
  [
    'a $delete with more',
    `runners: { docker: { $delete: true, tags: [a] } }
`,
    `o.yaml:1:20: runners.docker is deleted, and has other keys
    1 | runners: { docker: { $delete: true, tags: [a] } }
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        Use $replace: true to set something else instead.`,
  ],
  [
    'a $delete of the whole file',
    `{ $delete: true, runners: {} }
`,
    `o.yaml:1:1: $delete has no meaning here
    1 | { $delete: true, runners: {} }
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^`,
  ],
  [
    'a $delete that is not true',
    `runners: { docker: { $delete: false } }
`,
    `o.yaml:1:31: $delete is always true
    1 | runners: { docker: { $delete: false } }
      |                               ^^^^^
        Write true, or remove the key.`,
  ],
  [
    'a mark that is none',
    `cache: { $remove: true }
`,
    `o.yaml:1:10: there is no key "$remove" in cache
    1 | cache: { $remove: true }
      |          ^^^^^^^
        Allowed: enabled, subdomain, caches, retention, keyAlgorithm, auditDays, downloads, replicas, resources, storage, database, backups.`,
  ],
  [
    'what is the same in all environments',
    `environments:
  production: { overrides: { organization: { title: x } } }
`,
    `o.yaml:2:30: organization is the same in all environments
    2 |   production: { overrides: { organization: { title: x } } }
      |                              ^^^^^^^^^^^^`,
  ],
  [
    'overrides that are no map',
    `environments:
  production: { overrides: 3 }
`,
    `o.yaml:2:28: environments.production.overrides is the number 3, not a map
    2 |   production: { overrides: 3 }
      |                            ^`,
  ],
  [
    'a mistake in an environment',
    `environments:
  production: { overrides: { cache: { replicas: { max: 1 } } } }
`,
    `o.yaml:2:56: cache.replicas.max is 1, less than cache.replicas.min, 2
    2 |   production: { overrides: { cache: { replicas: { max: 1 } } } }
      |                                                        ^`,
  ],
])('%s', (_, text, shown) => {
  expect(mistakesIn(text)).toBe(shown);
});

test('all mistakes are shown at once, in the order of the file, and none twice', () => {
  const { issues } = loadOverLeast(`
organization: { titel: Acme }
environments:
  staging: { role: staging, context: s, domain: s.org, overrides: { cache: { replicas: { max: 1 } } } }
  production: { overrides: { runners: { docker: { imagee: x } } } }
cache: { retention: 1, replicas: { min: two } }
gitlab: { groupId: { $delete: true } }
scaler: { staleAfter: 1s, pollIntervall: 1s }
`);

  expect(issues.map(({ message }) => message)).toEqual([
    'there is no key "titel" in organization',
    'cache.replicas.max is 1, less than cache.replicas.min, 2',
    'there is no key "imagee" in runners.docker',
    'cache.retention: the number 1 is neither a duration, as in "90d", nor forever',
    'cache.replicas.min is "two", not a whole number',
    'gitlab.groupId is missing',
    'scaler.staleAfter is 1s, not longer than scaler.pollInterval, 10s',
    'there is no key "pollIntervall" in scaler',
  ]);
});

test('a valid file has all defaults, in every environment', () => {
  const { issues, base, environments } = loadOverLeast(`
environments:
  staging: { role: staging, context: s, domain: s.org, overrides: { cache: { replicas: { min: 1 } } } }
`);

  expect(issues).toEqual([]);
  expect(base?.organization?.cache.replicas).toEqual({ min: 2, max: 10, cpuPercent: 70 });
  const staging = environments.get('staging')?.organization;
  expect(staging?.cache.replicas).toEqual({ min: 1, max: 10, cpuPercent: 70 });
  expect(staging?.environments).toEqual({
    staging: { role: 'staging', context: 's', domain: 's.org' },
  });
});

test('a quantity may be a number, and is text from then on', () => {
  const { base } = loadOverLeast('cache: { resources: { limits: { cpu: 2 } } }');

  expect(base?.organization?.cache.resources.limits.cpu).toBe('2');
});

test('an environment that is deleted is none', () => {
  const { issues, environments } = loadOverLeast(`
environments:
  production: { $delete: true }
  other: { role: production, context: o, domain: o.org }
`);

  expect(issues).toEqual([]);
  expect([...environments.keys()]).toEqual(['other']);
});

test('names that JavaScript objects have by themselves are keys like any other', () => {
  expect(mistakesIn('cache: { constructor: [1], toString: { valueOf: [] } }').split('\n')[0]).toBe(
    'o.yaml:1:10: there is no key "constructor" in cache',
  );
  const { issues, base } = loadOverLeast('cache: { caches: { constructor: { public: true } } }');
  expect(issues).toEqual([]);
  expect(base?.organization?.cache.caches['constructor']?.public).toBe(true);
});

test('a secret in the place of a key is not shown, and neither is what moves the cursor', () => {
  const { issues } = loadOverLeast(`gitlab: { glpat-${'a'.repeat(20)}: 1 }`);

  expect(JSON.stringify(issues.map(({ message, path }) => [message, path]))).not.toContain('aaa');
  expect(mistakesIn('cache: { "\u001B[31m": 1 }')).not.toContain('\u001B');
});

test.each(['$replace', '$delete'])('%s takes away the overrides of a lower layer', (mark) => {
  const { issues, environments } = loadOverLeast(
    'environments: { production: { overrides: { cache: { replicas: { min: 5 } } } } }',
    `environments: { production: { overrides: { ${mark}: true } } }`,
  );

  expect(issues).toEqual([]);
  const { cache } = environments.get('production')?.organization ?? {};
  expect(cache?.replicas.min).toBe(2);
});
