import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import {
  barmanPlugin,
  certManagerDefinitions,
  cloudnativePg,
  isMissing,
  outputOf,
  startMinio,
} from '@flywheel/testing';
import type { Kubernetes, Missing, OperatorBuild, S3Server } from '@flywheel/testing';
import { playCertificates } from './certificates-double.ts';
import { databaseImages, pluginImages, POSTGRES_IMAGE } from './database-images.ts';
import { makeDeployment } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import { forward } from './forward.ts';
import { makeVolumes, openGround } from './site.ts';
import type { Site } from './site.ts';

const LOCK_FILE = resolve(import.meta.dirname, '../../config/vendor.lock.yaml');

/** A site whose database is CloudNativePG's, with backups to a bucket beside the cluster. */
export interface DatabaseSite extends Site {
  readonly backups: S3Server;
}

/** Two instances, as small as they can be. */
const KEYS = {
  'cache.database': {
    engine: 'cnpg',
    cnpg: {
      instances: 2,
      size: '1Gi',
      resources: {
        requests: { cpu: '50m', memory: '128Mi' },
        limits: { memory: '512Mi' },
      },
    },
  },
  'images.postgresql': POSTGRES_IMAGE,
};

export async function openDatabaseSite(): Promise<DatabaseSite | Missing> {
  const [operator, plugin] = [await cloudnativePg(), await barmanPlugin()];
  if (isMissing(operator)) return operator;
  if (isMissing(plugin)) return plugin;
  const images = await databaseImages({ operator, plugin });
  if (typeof images !== 'string') return images;
  const definitions = await certManagerDefinitions();
  if (typeof definitions !== 'string') return definitions;

  await using opened = new AsyncDisposableStack();
  const ground = await openGround();
  if (isMissing(ground)) return ground;
  opened.use(ground);
  const { kubernetes, tofu, kubectl } = ground;
  await kubernetes.importImages(images);
  const minio = await startMinio();
  if (isMissing(minio)) return minio;
  const backups = opened.use(minio);
  const { port } = new URL(backups.endpoint);
  opened.use(await forward(kubernetes.hostAddress, Number(port)));

  await makeVolumes(kubernetes, 8);
  await takeImagesThatAreThere(kubernetes);
  outputOf(await kubernetes.kubectl(['create', '-f', '-'], definitions), 'definitions');
  opened.use(playCertificates(kubernetes));
  const deployment = opened.use(
    await makeDeployment(tofu, {
      kubeconfig: kubernetes.kubeconfig,
      env: {
        FLYWHEEL_VENDOR_MIRROR: 'mirror',
        FLYWHEEL_SECRET_BACKUPS_ACCESS_KEY_ID: backups.env['AWS_ACCESS_KEY_ID'] ?? '',
        FLYWHEEL_SECRET_BACKUPS_SECRET_ACCESS_KEY: backups.env['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
      keys: {
        ...KEYS,
        'cache.backups': {
          enabled: true,
          bucket: backups.bucket,
          endpoint: `http://${kubernetes.hostAddress}:${port}`,
        },
      },
    }),
  );
  await offerManifests(deployment, operator, plugin);
  const parts = opened.move();
  return {
    kubernetes,
    deployment,
    kubectl,
    backups,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/**
 * The published manifests ask the registry each time, which this node does not have: pods, and they
 * alone, take what was imported.
 */
async function takeImagesThatAreThere(kubernetes: Kubernetes): Promise<void> {
  const containers = (of: string, type: string): string =>
    `${of}: object.spec.${of}.map(each, Object.spec.${of}{name: each.name, imagePullPolicy: "${type}"})`;
  const name = 'images-that-are-there';
  const api = 'admissionregistration.k8s.io/v1';
  const items = [
    {
      apiVersion: api,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        failurePolicy: 'Fail',
        reinvocationPolicy: 'IfNeeded',
        mutations: [
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: {
              expression: `Object{spec: Object.spec{${containers('containers', 'IfNotPresent')}}}`,
            },
          },
        ],
      },
    },
    {
      apiVersion: api,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name },
    },
  ];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  outputOf(await kubernetes.kubectl(['create', '-f', '-'], list), name);
}

/**
 * Puts the manifests where `flywheel vendor` takes them: the operator's under the digest that is
 * committed, the plugin's as a release would have it.
 */
async function offerManifests(
  deployment: Deployment,
  operator: OperatorBuild,
  plugin: OperatorBuild,
): Promise<void> {
  const committed = parse(await readFile(LOCK_FILE, 'utf8')) as {
    readonly manifests: Readonly<Record<string, object>>;
  };
  const text = releaseOf(await readFile(plugin.manifest, 'utf8'), plugin);
  await deployment.write(
    `mirror/cloudnative-pg-${operator.version}.yaml`,
    await readFile(operator.manifest, 'utf8'),
  );
  await deployment.write(`mirror/plugin-barman-cloud-${plugin.version}.yaml`, text);
  const manifests = {
    ...committed.manifests,
    'plugin-barman-cloud': {
      ...committed.manifests['plugin-barman-cloud'],
      version: plugin.version,
      sha256: createHash('sha256').update(text).digest('hex'),
    },
  };
  await deployment.write('config/vendor.lock.yaml', JSON.stringify({ manifests }));
}

/** The repository's manifest names the images of its newest state. */
function releaseOf(manifest: string, plugin: OperatorBuild): string {
  const images = pluginImages(plugin);
  const sidecar = Buffer.from(images.sidecar).toString('base64');
  return manifest
    .replace(/ SIDECAR_IMAGE: \|\n(?: {4}.*\n)+/, ` SIDECAR_IMAGE: ${sidecar}\n`)
    .replace(/image: \S+plugin-barman-cloud-testing:main/, `image: ${images.plugin}`);
}
