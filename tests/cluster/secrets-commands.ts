import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runChild, startChild, stopChild } from '@flywheel/testing';
import type { ControlPlane, RunResult } from '@flywheel/testing';
import { withKeys } from './organization-keys.ts';
import type { Keys } from './organization-keys.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');

/** The flywheel command in a folder of its own, with an organization whose context is the test's. */
export interface SecretsCommands extends AsyncDisposable {
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunResult>;
  /** The same without waiting for its end; `stop` sends SIGTERM and answers the status. */
  start(words: readonly string[]): { stop(): Promise<number | null> };
  /** Writes organization.yaml over the defaults of the test. */
  organization(keys?: Keys): Promise<void>;
  write(path: string, text: string): Promise<string>;
  /** The entries of a Secret, decoded; undefined when it is not there. */
  secret(name: string): Promise<Readonly<Record<string, string>> | undefined>;
  resourceVersion(name: string): Promise<string>;
  /** Applies an object as somebody else. */
  apply(object: unknown): Promise<RunResult>;
}

export const NAMESPACE = 'flywheel-cache';

const ORGANIZATION = `apiVersion: flywheel/v1
organization: { name: acme }
gitlab: { group: acme, groupId: 1, deployProject: { path: acme/infrastructure, id: 2 } }
environments:
  test: { role: development, context: flywheel-test, domain: flywheel.example.org }
cache:
  backups: { bucket: acme-backups, endpoint: https://s3.example.org }
runners: {}
dashboard: { enabled: false }
images: { repository: registry.example.org/flywheel }
`;

export async function secretsCommands(plane: ControlPlane): Promise<SecretsCommands> {
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-secrets-'));
  const write = async (path: string, text: string): Promise<string> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  const get = async (name: string) => {
    const found = await plane.kubectl(['get', 'secret', name, '-n', NAMESPACE, '-o', 'json']);
    if (found.status !== 0) return undefined;
    return JSON.parse(found.stdout) as {
      readonly metadata: { readonly resourceVersion: string };
      readonly data?: Readonly<Record<string, string>>;
    };
  };
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    KUBECONFIG: plane.kubeconfig,
  };
  return {
    write,
    run: (words, env = {}) =>
      runChild([LAUNCHER, ...words], { cwd: folder, env: { ...environment, ...env } }),
    start(words) {
      const child = startChild([LAUNCHER, ...words], { cwd: folder, env: environment });
      return {
        async stop() {
          await stopChild(child);
          return child.exitCode;
        },
      };
    },
    async organization(keys = {}) {
      await write('config/organization.yaml', withKeys(ORGANIZATION, keys));
    },
    async secret(name) {
      const data = (await get(name))?.data;
      if (data === undefined) return undefined;
      const decoded = Object.entries(data).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString(),
      ]);
      return Object.fromEntries(decoded) as Readonly<Record<string, string>>;
    },
    resourceVersion: async (name) => (await get(name))?.metadata.resourceVersion ?? '',
    apply: (object) =>
      plane.kubectl(
        ['apply', '--server-side', '--field-manager=somebody', '-f', '-'],
        JSON.stringify(object),
      ),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
