// Where the state of a stack lies. Credentials reach tofu through its environment only: what is
// given in a file or an argument ends in its folder, in plans and in lists of processes.
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { Organization } from '@flywheel/organization';

export type Environment = Readonly<Partial<Record<string, string>>>;

export interface GitlabBackend {
  readonly kind: 'gitlab';
  /** As GitLab lists it. */
  readonly name: string;
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

export interface LocalBackend {
  readonly kind: 'local';
  readonly name: string;
  readonly file: string;
}

export type Backend = GitlabBackend | LocalBackend;

/**
 * GitLab's state of one stack in one environment: in the deploy project, with the token of
 * TF_HTTP_PASSWORD, or of the job in CI. Throws `unauthorized` when there is neither.
 */
export function gitlabBackend(
  organization: Organization,
  name: string,
  env: Environment,
): GitlabBackend {
  const { url, deployProject } = organization.gitlab;
  const address = `${url.replace(/\/+$/, '')}/api/v4/projects/${deployProject.id}/terraform/state/${name}`;
  const password = env['TF_HTTP_PASSWORD'];
  if (password) {
    // GitLab looks at the token alone, but wants some name.
    return {
      kind: 'gitlab',
      name,
      address,
      username: env['TF_HTTP_USERNAME'] || 'flywheel',
      password,
    };
  }
  const jobToken = env['CI_JOB_TOKEN'];
  if (jobToken) {
    return { kind: 'gitlab', name, address, username: 'gitlab-ci-token', password: jobToken };
  }
  throw new FlywheelError('unauthorized', 'TF_HTTP_PASSWORD is not set', {
    details: {
      hint:
        `It is a GitLab access token with the scope api and the role Maintainer in ${deployProject.path},\n` +
        `where the OpenTofu state lies. Put it into .env (cp .env.example .env), then: direnv allow.\n` +
        `To try without GitLab: --backend local.`,
    },
  });
}

/** What tofu reads of its environment to reach the state. */
export function backendEnvironment(backend: Backend): Readonly<Record<string, string>> {
  if (backend.kind === 'local') return {};
  const { address, username, password } = backend;
  return {
    TF_HTTP_ADDRESS: address,
    TF_HTTP_LOCK_ADDRESS: `${address}/lock`,
    TF_HTTP_UNLOCK_ADDRESS: `${address}/lock`,
    TF_HTTP_UPDATE_METHOD: 'POST',
    TF_HTTP_LOCK_METHOD: 'POST',
    TF_HTTP_UNLOCK_METHOD: 'DELETE',
    TF_HTTP_USERNAME: username,
    TF_HTTP_PASSWORD: password,
  };
}

/** The file that says which backend it is, whatever the stack says. */
export function backendOverride(backend: Backend): string {
  const block =
    backend.kind === 'gitlab'
      ? 'backend "http" {}'
      : `backend "local" {\n    path = ${JSON.stringify(backend.file)}\n  }`;
  return `terraform {\n  ${block}\n}\n`;
}

/** Makes what a backend needs before tofu uses it. */
export async function prepareBackend(backend: Backend): Promise<void> {
  if (backend.kind === 'local')
    await mkdir(dirname(backend.file), { recursive: true, mode: 0o700 });
}
