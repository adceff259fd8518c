import { FlywheelError } from '@flywheel/base';
import { startGitlabState } from '@flywheel/testing';
import type { RunResult, Tofu } from '@flywheel/testing';
import { makeWorkplace } from '../tofu/flywheel-process.ts';
import type { Workplace } from '../tofu/flywheel-process.ts';
import { IMAGES } from './images.ts';

export const NAMESPACE = 'flywheel-cache';
const DOMAIN = 'flywheel.example.org';
/** The cache's public name. */
export const HOST = `cache.${DOMAIN}`;
const TOKEN = 'glpat-of-the-tests';
const PROJECT = 2002;

/** An organization with one small cache, whose database is there already. */
function organization(gitlabUrl: string, databaseUrl: string, tag: string): string {
  const { hostname, port } = new URL(databaseUrl);
  return `apiVersion: flywheel/v1
organization: { name: acme }
gitlab:
  url: ${gitlabUrl}
  group: acme
  groupId: 1001
  deployProject: { path: acme/infrastructure, id: ${PROJECT} }
environments:
  test: { role: development, context: flywheel-test, domain: ${DOMAIN} }
cache:
  replicas: { min: 2, max: 2 }
  resources: { requests: { cpu: 50m, memory: 128Mi }, limits: { memory: 512Mi } }
  storage:
    engine: minio
    minio:
      servers: 1
      size: 1Gi
      resources: { requests: { cpu: 50m, memory: 128Mi }, limits: { memory: 512Mi } }
  database: { engine: external, external: { port: ${port}, cidrs: [${hostname}/32] } }
  backups: { enabled: false }
monitoring: { enabled: false }
runners: {}
dashboard: { enabled: false }
images:
  repository: ${IMAGES.repository}
  tag: '${tag}'
  minio: ${IMAGES.minio}
  minioClient: ${IMAGES.minio}
`;
}

/** What a person does who deploys: the command line with an organization, and GitLab for its state. */
export interface Deployment extends AsyncDisposable {
  /** Says in the organization which version of the images is wanted. */
  want(tag: string): Promise<void>;
  /** Throws when it fails. */
  flywheel(...args: readonly string[]): Promise<RunResult>;
  /** A plan, then exactly that. */
  apply(): Promise<void>;
}

export async function makeDeployment(
  tofu: Tofu,
  { kubeconfig, databaseUrl }: { readonly kubeconfig: string; readonly databaseUrl: string },
): Promise<Deployment> {
  await using made = new AsyncDisposableStack();
  const gitlab = made.use(await startGitlabState({ projectId: PROJECT, token: TOKEN }));
  const place: Workplace = made.use(
    await makeWorkplace(tofu, {
      edit: () => organization(gitlab.url, databaseUrl, '1'),
      env: {
        KUBECONFIG: kubeconfig,
        TF_HTTP_PASSWORD: TOKEN,
        FLYWHEEL_SECRET_CACHE_DATABASE_URL: databaseUrl,
      },
    }),
  );
  const flywheel = async (...args: readonly string[]): Promise<RunResult> => {
    const run = await place.flywheel(args);
    if (run.status === 0) return run;
    throw new FlywheelError('internal', `flywheel ${args.join(' ')}:\n${run.stdout}${run.stderr}`);
  };
  // The copy of the stacks: a first plan writes a lock file of providers beside them.
  const stacks = `--stacks=${tofu.root}/stacks`;
  const parts = made.move();
  return {
    want: (tag) =>
      place.write('config/organization.yaml', organization(gitlab.url, databaseUrl, tag)),
    flywheel: (command, ...args) =>
      command === 'secrets' ? flywheel(command, ...args) : flywheel(command, ...args, stacks),
    async apply() {
      await flywheel('plan', 'attic', stacks);
      await flywheel('apply', 'attic', stacks);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
