import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildTofu, outputOf, writeProviderMirror } from '@flywheel/testing';
import type { ImageBuilder, Missing } from '@flywheel/testing';
import { plannedManifests } from '../tofu/planned-manifests.ts';
import { CONTEXT, TOKEN } from './deployment.ts';
import { forward } from './forward.ts';
import { IMAGES } from './images.ts';
import type { CacheSite } from './site.ts';

const IMAGE = 'flywheel.test/acme/job:1';
const NAMESPACE = 'runners';
const ACCOUNT = 'deploy';
const CONFIG = ['organization.yaml', 'attic.lock.hcl'];

/** As docs/infrastructure/images.md says for who reaches no registry of providers. */
const CONTAINERFILE = `FROM ${IMAGES.flywheel}
COPY plugins /usr/share/terraform/plugins
`;

/** The image of the command line with the provider in it. */
export async function buildJobImage(
  builder: ImageBuilder,
  folder: string,
): Promise<Missing | undefined> {
  const programs = await buildTofu();
  if ('missing' in programs) return programs;
  const context = join(folder, 'job');
  await writeProviderMirror(join(context, 'plugins'), programs.provider, copyFile);
  const containerfile = join(context, 'Containerfile');
  await writeFile(containerfile, CONTAINERFILE);
  await builder.build({ containerfile, context, name: IMAGE });
  return undefined;
}

/**
 * Runs a script as a runner in the cluster runs a job of GitLab: in a pod that may do as little as
 * possible, with the repository's files in /workspace and the account that gitlab-agent-rbac lets plan.
 * Answers what it printed. Throws when it fails.
 */
export async function runPipelineJob(site: CacheSite, script: string): Promise<string> {
  const { kubernetes, deployment, tofu } = site;
  const gitlab = new URL(deployment.gitlabUrl);
  await using _ = await forward(kubernetes.hostAddress, Number(gitlab.port));
  const files = await Promise.all(
    CONFIG.map(async (name) => [name, await deployment.read(`config/${name}`)] as const),
  );
  const reachable = files.map(([name, text]) => [
    name,
    text.replaceAll(gitlab.hostname, kubernetes.hostAddress),
  ]);
  const metadata = { namespace: NAMESPACE, name: ACCOUNT };
  const items = [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: NAMESPACE,
        labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
      },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: Object.fromEntries(reachable) as object,
    },
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { TF_HTTP_PASSWORD: TOKEN } },
    ...(await grants(tofu)),
    { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(script) },
  ];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const kubectl = async (...words: readonly string[]): Promise<string> =>
    outputOf(await kubernetes.kubectl([`--namespace=${NAMESPACE}`, ...words]), words.join(' '));
  outputOf(await kubernetes.kubectl(['apply', '-f', '-'], list), 'a job');
  const phase = '--output=jsonpath={.status.phase}';
  let ended = '';
  while (ended !== 'Succeeded' && ended !== 'Failed') {
    ended = await kubectl('get', 'pod', ACCOUNT, phase);
    await sleep(500);
  }
  const said = await kubectl('logs', ACCOUNT);
  if (ended === 'Failed') throw new Error(`the job failed:\n${said}`);
  await kubernetes.kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']);
  return said;
}

function grants(tofu: CacheSite['tofu']): Promise<readonly object[]> {
  const account = { namespace: NAMESPACE, name: ACCOUNT };
  const runner = { access: 'view', service_accounts: [account] };
  return plannedManifests(tofu, 'modules/gitlab-agent-rbac', [
    '-var=namespace=flywheel-cache',
    `-var=grants=${JSON.stringify({ runner })}`,
  ]);
}

function podSpec(script: string): object {
  return {
    restartPolicy: 'Never',
    serviceAccountName: ACCOUNT,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'job',
        image: IMAGE,
        command: ['/bin/sh', '-ec', script],
        env: [
          { name: 'CI', value: 'true' },
          { name: 'FLYWHEEL_POD_CONTEXT', value: CONTEXT },
        ],
        envFrom: [{ secretRef: { name: ACCOUNT } }],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'work', mountPath: '/workspace' },
          { name: 'config', mountPath: '/workspace/config', readOnly: true },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [
      { name: 'work', emptyDir: {} },
      { name: 'config', configMap: { name: ACCOUNT } },
      { name: 'tmp', emptyDir: {} },
    ],
  };
}
