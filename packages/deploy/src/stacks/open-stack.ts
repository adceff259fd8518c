import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { isFlywheelError, toFlywheelError } from '@flywheel/base';
import type { Organization } from '@flywheel/organization';
import { findCluster } from '../cluster/find-cluster.ts';
import type { ClusterAccess } from '../cluster/kubeconfig.ts';
import { backendEnvironment, backendOverride, prepareBackend } from '../state/backend.ts';
import type { Backend, Environment } from '../state/backend.ts';
import { encryptionEnvironment, PASSPHRASE } from '../state/encryption.ts';
import { readKnownState, stateProblem, writeKnownState } from '../state/known-state.ts';
import { readState } from '../state/read-state.ts';
import type { StateVersion } from '../state/read-state.ts';
import type { TofuSite } from '../tofu/run-tofu.ts';
import type { Ingredients } from '../plan/plan-record.ts';
import { initializeProviders, readProviderLock } from './provider-lock.ts';
import type { Stack } from './stack.ts';
import { digestsOf, LOCK_FILE, readSources, sha256, writeFiles } from './working-copy.ts';
import type { Files } from './working-copy.ts';

/** A stack in an environment, and all that is needed to work on it. */
export interface StackSite {
  readonly stack: Stack;
  readonly environment: string;
  /** As it is in the environment. */
  readonly organization: Organization;
  readonly backend: Backend;
  /** The folder that holds stacks and modules. */
  readonly root: string;
  /** Where the working copy, the plan and what is known of the state are kept. */
  readonly folder: string;
  /** Which providers exactly, beside the organization; it counts before one beside the stack. */
  readonly lockFile: string;
  /** Vendored manifests by name, checked. */
  readonly manifests: Readonly<Record<string, { readonly file: string; readonly sha256: string }>>;
  readonly env: Environment;
  /** Where a kubeconfig is without KUBECONFIG. */
  readonly home: string;
  /** OpenTofu. */
  readonly program: string;
  readonly signal: AbortSignal;
  /** Take the state as it is, although it is empty or another than the last known one. */
  readonly acceptState: boolean;
}

/** A stack that tofu can work on. */
export interface OpenStack {
  readonly site: StackSite;
  readonly tofu: TofuSite;
  /** Missing when there is none yet. */
  readonly state?: StateVersion;
  readonly ingredients: Ingredients;
  /** The lock file of providers that `init` has made, because there is none. */
  readonly newLockFile?: { readonly path: string; readonly bytes: Uint8Array };
}

export const planFile = ({ folder }: StackSite): string => join(folder, 'plan.tfplan');
export const recordFile = ({ folder }: StackSite): string => join(folder, 'plan.json');

/** Variables of tofu that would change what a plan is, behind the back of who reviews it. */
const FOREIGN = /^TF_(?:CLI_ARGS|VAR_|WORKSPACE$|DATA_DIR$|ENCRYPTION$|HTTP_(?!CLIENT_|RETRY_))/;

/**
 * Lays the working copy out, reads the state and prepares tofu. Throws when the state cannot be
 * read, or is not the one that is known, before tofu is started at all.
 */
export async function openStack(site: StackSite): Promise<OpenStack> {
  // A plan holds values in the clear.
  await mkdir(site.folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw toFlywheelError(error, `make the folder ${site.folder}`);
  });
  const state = await readKnownGoodState(site);
  const below = relative(site.root, site.stack.folder).split(sep).join('/');
  const lockFile = `${below}/${LOCK_FILE}`;
  const sources = new Map(await readSources(site.root, site.stack));
  const pinned = await readProviderLock(site.lockFile, site.stack);
  if (pinned !== undefined) sources.set(lockFile, pinned);
  const files = new Map([...sources, ...(await generatedFiles(site, below, sources))]);
  const copy = join(site.folder, 'tofu');
  const override = new Map([[`${below}/backend_override.tf`, text(backendOverride(site.backend))]]);
  await writeFiles(copy, new Map([...files, ...override])).catch((error: unknown) => {
    throw toFlywheelError(error, `write ${copy}`);
  });
  await prepareBackend(site.backend);
  const tofu = tofuSite(site, join(copy, below), state, await accessOf(site));
  await initialize(tofu, new Map([...sources, ...override]), pinned !== undefined);
  const providers = await readFile(join(copy, lockFile)).catch(() => undefined);
  if (providers !== undefined) files.set(lockFile, providers);
  return {
    site,
    tofu,
    ...(state === undefined ? {} : { state }),
    ingredients: {
      environment: site.environment,
      stack: site.stack.name,
      backend: site.backend.kind === 'gitlab' ? site.backend.address : site.backend.file,
      files: digestsOf(files),
      ...(state === undefined ? {} : { state: { lineage: state.lineage, serial: state.serial } }),
    },
    ...(providers === undefined || pinned !== undefined
      ? {}
      : { newLockFile: { path: site.lockFile, bytes: providers } }),
  };
}

/** A stack may want no cluster at all: the provider says what it lacks, and an apply looks first. */
async function accessOf(site: StackSite): Promise<ClusterAccess | undefined> {
  const context = site.organization.environments[site.environment]?.context;
  if (context === undefined) return undefined;
  try {
    return await findCluster(context, site);
  } catch (error) {
    if (isFlywheelError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Prepares backend, modules and providers, unless that was done for just these sources. */
async function initialize(tofu: TofuSite, sources: Files, isPinned: boolean): Promise<void> {
  const mark = join(tofu.folder, '.terraform', 'flywheel.initialized');
  const wanted = sha256(JSON.stringify([tofu.program, digestsOf(sources)]));
  if ((await readFile(mark, 'utf8').catch(() => '')) === wanted) return;
  await initializeProviders(tofu, isPinned);
  await mkdir(dirname(mark), { recursive: true });
  await writeFile(mark, wanted);
}

const knownStateFile = ({ folder }: StackSite): string => join(folder, 'known-state.json');

async function readKnownGoodState(site: StackSite): Promise<StateVersion | undefined> {
  const state = await readState(site.backend);
  const known = await readKnownState(knownStateFile(site));
  const problem = stateProblem(site.backend.name, state, known);
  if (problem !== undefined && !site.acceptState) throw problem;
  if (state !== undefined) await writeKnownState(knownStateFile(site), state);
  return state;
}

/** Remembers the state as an apply has left it. */
export async function rememberState(site: StackSite): Promise<StateVersion | undefined> {
  const state = await readState(site.backend);
  if (state !== undefined) await writeKnownState(knownStateFile(site), state);
  return state;
}

/** What a stack reads besides its sources: the organization, manifests, and where both are. */
async function generatedFiles(
  { organization, manifests }: StackSite,
  below: string,
  sources: ReadonlyMap<string, Uint8Array>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const declared = new Set(
    [...sources]
      .filter(([path]) => path.startsWith(`${below}/`) && path.endsWith('.tf'))
      .flatMap(([, bytes]) => [
        ...Buffer.from(bytes)
          .toString()
          .matchAll(/^variable "(\w+)"/gm),
      ])
      .map(([, name]) => name),
  );
  const files = new Map<string, Uint8Array>();
  const variables: Record<string, unknown> = {};
  if (declared.has('organization_file')) {
    files.set(`${below}/organization.json`, text(`${JSON.stringify(organization, null, 2)}\n`));
    variables['organization_file'] = 'organization.json';
  }
  if (declared.has('manifests')) {
    const given: Record<string, unknown> = {};
    for (const [name, manifest] of Object.entries(manifests)) {
      const bytes = await readFile(manifest.file).catch((error: unknown) => {
        throw toFlywheelError(error, `read the manifest ${name}`);
      });
      files.set(`${below}/manifests/${name}.yaml`, bytes);
      given[name] = { file: `manifests/${name}.yaml`, sha256: manifest.sha256 };
    }
    variables['manifests'] = given;
  }
  files.set(`${below}/flywheel.auto.tfvars.json`, text(`${JSON.stringify(variables, null, 2)}\n`));
  return files;
}

function tofuSite(
  site: StackSite,
  folder: string,
  state: StateVersion | undefined,
  access: ClusterAccess | undefined,
): TofuSite {
  const { backend, env, program, signal, stack, environment } = site;
  const own = Object.entries(env).filter(([name]) => !FOREIGN.test(name));
  const secrets = [backend.kind === 'gitlab' ? backend.password : '', env[PASSPHRASE] ?? ''];
  return {
    program,
    folder,
    signal,
    stack: stack.name,
    environment,
    ...(access === undefined ? {} : { access }),
    // Shorter ones are none, and would take messages apart.
    secrets: secrets.filter((secret) => secret.length >= 6),
    env: {
      ...(Object.fromEntries(own) as Readonly<Record<string, string>>),
      ...backendEnvironment(backend),
      ...encryptionEnvironment(env, state),
      TF_IN_AUTOMATION: '1',
      CHECKPOINT_DISABLE: '1',
    },
  };
}

function text(content: string): Uint8Array {
  return Buffer.from(content);
}
