import { messageOf, toFlywheelError } from '@flywheel/base';
import type { Finding } from '../check.ts';
import type { Examined } from './examined.ts';

/** Budgets that let unhealthy pods go are stable from here on. */
const OLDEST_MINOR = 31;

const NAME = 'API server';

export async function checkServer({ cluster }: Examined): Promise<Finding> {
  const name = NAME;
  try {
    const version = await cluster.get<{
      readonly major: string;
      readonly minor: string;
      readonly gitVersion: string;
    }>('/version');
    const minor = Number.parseInt(version?.minor ?? '', 10);
    const found = `${version?.gitVersion ?? 'no version'}, context ${cluster.context}`;
    if (minor >= OLDEST_MINOR) return { name, status: 'ok', summary: found };
    return {
      name,
      status: 'failed',
      summary: `${found}: 1.${OLDEST_MINOR} is the oldest that works`,
      remedy: 'Upgrade the cluster first.',
    };
  } catch (error) {
    return unreachable(error);
  }
}

/** Without the API server, or a way to it, nothing can be told. */
export function unreachable(error: unknown): Finding {
  const { details } = toFlywheelError(error);
  const remedy = typeof details['hint'] === 'string' ? details['hint'] : 'Is the cluster up?';
  return { name: NAME, status: 'failed', summary: messageOf(error), remedy };
}
