import type { Finding } from '../check.ts';
import { whereAllowed } from './examined.ts';
import type { Examined } from './examined.ts';

interface Extension {
  readonly name: string;
  readonly path: string;
  readonly remedy: string;
  /** Comes with the stack of operators: not there yet is no fault. */
  readonly ours: boolean;
}

const OPERATORS = 'Deploy it: ./flywheel plan operators, ./flywheel apply operators.';

/** Kinds of objects and metrics that are not Kubernetes' own. */
export async function checkDefinitions(examined: Examined): Promise<readonly Finding[]> {
  return await Promise.all(
    wantedOf(examined).map((extension) =>
      whereAllowed(extension.name, () => checkExtension(examined, extension)),
    ),
  );
}

function wantedOf({ organization }: Examined): readonly Extension[] {
  const { cache, monitoring } = organization;
  const wanted: Extension[] = [];
  const cnpg = cache.enabled && cache.database.engine === 'cnpg';
  if (cache.enabled && cache.replicas.max > cache.replicas.min) {
    wanted.push({
      name: 'Metrics API',
      path: '/apis/metrics.k8s.io/v1beta1',
      remedy:
        'Replicas follow the CPU by it: deploy metrics-server, or set cache.replicas.max to min.',
      ours: false,
    });
  }
  if (cnpg) {
    const path = '/apis/postgresql.cnpg.io/v1';
    wanted.push({ name: 'CloudNativePG', path, remedy: OPERATORS, ours: true });
  }
  if (cnpg && cache.backups.enabled) {
    const path = '/apis/barmancloud.cnpg.io/v1';
    wanted.push({ name: 'Barman plugin', path, remedy: OPERATORS, ours: true });
    wanted.push({
      name: 'cert-manager',
      path: '/apis/cert-manager.io/v1',
      remedy: 'The Barman plugin needs it: https://cert-manager.io/docs/installation/',
      ours: false,
    });
  }
  if (monitoring.enabled) {
    wanted.push({
      name: 'Prometheus operator',
      path: '/apis/monitoring.coreos.com/v1',
      remedy: 'Deploy it, or set monitoring.enabled to false.',
      ours: false,
    });
  }
  return wanted;
}

async function checkExtension(
  { cluster }: Examined,
  { name, path, remedy, ours }: Extension,
): Promise<Finding> {
  if ((await cluster.get(path)) !== undefined) return { name, status: 'ok', summary: 'is there' };
  const summary = ours ? 'is not there yet' : 'is not there';
  return { name, status: ours ? 'absent' : 'failed', summary, remedy };
}
