import { formatIssue } from './issue.ts';
import { loadOrganization } from './load.ts';
import type { Loaded } from './load.ts';

/** The least that is valid. */
const LEAST = `apiVersion: flywheel/v1
organization: { name: acme }
gitlab:
  group: acme
  groupId: 1
  deployProject: { path: acme/infrastructure, id: 2 }
environments:
  production: { role: production, context: prod, domain: example.org }
cache:
  backups: { enabled: false }
runners:
  docker: { image: 'docker.io/library/debian:12-slim', tags: [docker] }
dashboard:
  access: [{ group: acme, role: admin }]
images:
  repository: registry.example.org/acme
  gitlabRunner: registry.example.org/runner:1
  postgresql: registry.example.org/postgresql:1
  minio: registry.example.org/minio:1
  minioClient: registry.example.org/mc:1
`;

/** Each text as an organization.yaml over a layer that is valid by itself. For tests. */
export function loadOverLeast(...texts: readonly string[]): Loaded {
  return loadOrganization([
    { file: 'upstream.yaml', layer: 'upstream', text: LEAST },
    ...texts.map((text) => ({ file: 'o.yaml', layer: 'organization', text }) as const),
  ]);
}

/** All mistakes in it, as people see them. */
export function mistakesIn(text: string): string {
  return loadOverLeast(text)
    .issues.map((issue) => formatIssue(issue))
    .join('\n');
}
