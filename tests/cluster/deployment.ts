import { FlywheelError } from '@flywheel/base';
import { startGitlabState } from '@flywheel/testing';
import type { RunResult, Tofu } from '@flywheel/testing';
import { makeWorkplace } from '../tofu/flywheel-process.ts';
import type { Workplace } from '../tofu/flywheel-process.ts';
import { IMAGES } from './images.ts';
import { withKeys } from './organization-keys.ts';
import type { Keys } from './organization-keys.ts';

export const NAMESPACE = 'flywheel-cache';
const DOMAIN = 'flywheel.example.org';
/** The cache's public name. */
export const HOST = `cache.${DOMAIN}`;
export const TOKEN = 'glpat-of-the-tests';
/** Of the cluster, in the organization. */
export const CONTEXT = 'flywheel-test';
const PROJECT = 2002;

/** An organization with one small cache, whose database is there already. */
function organization(gitlabUrl: string): string {
  return `apiVersion: flywheel/v1
organization: { name: acme }
gitlab:
  url: ${gitlabUrl}
  group: acme
  groupId: 1001
  deployProject: { path: acme/infrastructure, id: ${PROJECT} }
environments:
  test: { role: development, context: ${CONTEXT}, domain: ${DOMAIN} }
cache:
  replicas: { min: 2, max: 2 }
  resources: { requests: { cpu: 50m, memory: 128Mi }, limits: { memory: 512Mi } }
  storage:
    engine: minio
    minio:
      servers: 1
      size: 1Gi
      resources: { requests: { cpu: 50m, memory: 128Mi }, limits: { memory: 512Mi } }
  database: { engine: external }
  backups: { enabled: false }
monitoring: { enabled: false }
runners: {}
dashboard: { enabled: false }
images:
  repository: ${IMAGES.repository}
  tag: '1'
  minio: ${IMAGES.minio}
  minioClient: ${IMAGES.minio}
`;
}

/** What a person does who deploys: the command line with an organization, and GitLab for its state. */
export interface Deployment extends AsyncDisposable {
  /** Says in the organization which version of the images is wanted. */
  want(tag: string): Promise<void>;
  /** Says other things there. What is undefined is taken out. */
  set(keys: Keys): Promise<void>;
  /** Writes a file beside. */
  write(name: string, text: string): Promise<void>;
  /** Runs the command line. A failing status is an answer. */
  run(...args: readonly string[]): Promise<RunResult>;
  read(name: string): Promise<string>;
  /** Where states are, on this machine. */
  readonly gitlabUrl: string;
  /** Throws when it fails. */
  flywheel(...args: readonly string[]): Promise<RunResult>;
  /** A plan of a stack, by default of the cache, then exactly that. */
  apply(stack?: string, ...options: readonly string[]): Promise<void>;
}

export interface DeploymentOptions {
  readonly kubeconfig: string;
  /** Further variables, for instance what secrets are taken from. */
  readonly env: Readonly<Record<string, string>>;
  readonly keys?: Keys;
}

/** Commands that know no stacks. */
const WITHOUT_STACKS = ['doctor', 'secrets', 'vendor'];

export async function makeDeployment(
  tofu: Tofu,
  { kubeconfig, env, keys = {} }: DeploymentOptions,
): Promise<Deployment> {
  await using made = new AsyncDisposableStack();
  const gitlab = made.use(await startGitlabState({ projectId: PROJECT, token: TOKEN }));
  const place: Workplace = made.use(
    await makeWorkplace(tofu, {
      edit: () => withKeys(organization(gitlab.url), keys),
      env: { KUBECONFIG: kubeconfig, TF_HTTP_PASSWORD: TOKEN, ...env },
    }),
  );
  const run = (...args: readonly string[]): Promise<RunResult> => place.flywheel(args);
  const flywheel = async (...args: readonly string[]): Promise<RunResult> => {
    const ended = await run(...args);
    if (ended.status === 0) return ended;
    throw new FlywheelError(
      'internal',
      `flywheel ${args.join(' ')}:\n${ended.stdout}${ended.stderr}`,
    );
  };
  const set = async (changed: Keys): Promise<void> => {
    const file = 'config/organization.yaml';
    await place.write(file, withKeys(await place.read(file), changed));
  };
  // The copy of the stacks, and not those of the checkout.
  const stacks = `--stacks=${tofu.root}/stacks`;
  const parts = made.move();
  return {
    want: (tag) => set({ 'images.tag': tag }),
    set,
    write: (name, text) => place.write(name, text),
    run,
    read: (name) => place.read(name),
    gitlabUrl: gitlab.url,
    flywheel: (command = '', ...args) =>
      flywheel(command, ...args, ...(WITHOUT_STACKS.includes(command) ? [] : [stacks])),
    async apply(stack = 'attic', ...options) {
      await flywheel('plan', stack, stacks);
      await flywheel('apply', stack, ...options, stacks);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
