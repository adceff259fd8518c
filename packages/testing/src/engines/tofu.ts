import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from './child.ts';
import type { RunResult } from './child.ts';
import { goBuild } from './go-module.ts';
import type { Missing } from './missing.ts';

const TOFU_VERSION = '1.12.6';
/** What the modules ask for. */
const PROVIDER_VERSION = '2.1.3';
/**
 * The project that the maintained provider comes from, with the same resource: the Go proxy has it
 * and not the other.
 */
const PROVIDER_SOURCE = '1.19.0';

/** Nobody is there: what wants to reach a cluster fails at once. */
const NO_CLUSTER = { KUBE_HOST: 'https://127.0.0.1:1', KUBE_LOAD_CONFIG_FILE: 'false' };

/** A real OpenTofu over a copy of some modules, with a provider from a folder in place of a registry. */
export interface Tofu extends AsyncDisposable {
  readonly version: string;
  /** The program, and the environment that it needs, for whoever starts it himself. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** The copy: runs write lock files and states, which do not belong into the checkout. */
  readonly root: string;
  /** Runs tofu in a folder below `root`. A failing status is an answer. */
  run(folder: string, args: readonly string[]): Promise<RunResult>;
}

/**
 * OpenTofu with the modules of `source`. It and the provider are built with Go on first use (three
 * minutes each) and kept. `kubeconfig` says which cluster they work on.
 */
export async function startTofu(
  source: string,
  options: { readonly kubeconfig?: string } = {},
): Promise<Tofu | Missing> {
  const built = await buildTofu();
  if ('missing' in built) return built;
  const folder = await mkdtemp(join(tmpdir(), 'tofu-'));
  const root = join(folder, 'modules');
  await cp(source, root, { recursive: true });
  const config = await writeMirror(folder, built.provider);
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: folder,
    TF_CLI_CONFIG_FILE: config,
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
    TF_CLI_ARGS: '-no-color',
    ...(options.kubeconfig === undefined ? NO_CLUSTER : { KUBE_CONFIG_PATH: options.kubeconfig }),
  };
  return {
    version: TOFU_VERSION,
    program: built.tofu,
    env,
    root,
    run: (below, args) =>
      runChild([built.tofu, ...args], { env, cwd: join(root, below), timeoutMs: 300_000 }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Where the two programs are, for whoever wants them built before they are needed. */
export async function buildTofu(): Promise<
  { readonly tofu: string; readonly provider: string } | Missing
> {
  const tofu = await goBuild({
    name: 'tofu',
    version: TOFU_VERSION,
    module: `github.com/opentofu/opentofu@v${TOFU_VERSION}`,
    command: './cmd/tofu',
  });
  if (typeof tofu !== 'string') return tofu;
  const provider = await goBuild({
    name: 'terraform-provider-kubectl',
    version: PROVIDER_SOURCE,
    module: `github.com/gavinbunney/terraform-provider-kubectl@v${PROVIDER_SOURCE}`,
    command: '.',
  });
  if (typeof provider !== 'string') return provider;
  return { tofu, provider };
}

/** Lays the provider out in a folder as OpenTofu looks for it without a registry. */
export async function writeProviderMirror(
  folder: string,
  provider: string,
  put: (from: string, to: string) => Promise<void> = symlink,
): Promise<void> {
  const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const name = 'registry.opentofu.org/alekc/kubectl';
  const place = join(folder, name, PROVIDER_VERSION, platform);
  await mkdir(place, { recursive: true });
  await put(provider, join(place, `terraform-provider-kubectl_v${PROVIDER_VERSION}`));
}

/** A mirror, and a configuration of tofu that looks nowhere else. */
async function writeMirror(folder: string, provider: string): Promise<string> {
  const path = join(folder, 'mirror');
  await writeProviderMirror(path, provider);
  const config = join(folder, 'tofu.rc');
  await writeFile(
    config,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(path)}\n  }\n}\n`,
  );
  return config;
}

/** What a run printed. Throws with its errors when it failed. */
export function outputOf(run: RunResult, attempted: string): string {
  if (run.status === 0) return run.stdout;
  throw new FlywheelError('internal', `${attempted}:\n${run.stdout}${run.stderr}`);
}
