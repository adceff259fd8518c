import { neededSecrets, planSecrets } from '@flywheel/deploy';
import type { SecretPlan } from '@flywheel/deploy';
import type { Finding } from '../check.ts';
import { whereAllowed } from './examined.ts';
import type { Examined } from './examined.ts';

/** Values are not made for looking. */
const PLACEHOLDER = { tokenKey: () => ({ entry: 'key', text: '-' }), random: () => '-' };

/** Which Secrets are there, which `sync` would make, and what nobody has given. */
export async function checkSecrets({
  context,
  cluster,
  organization,
}: Examined): Promise<readonly Finding[]> {
  const needed = neededSecrets(organization);
  if (needed.length === 0) return [];
  const finding = await whereAllowed('Secrets', async () => {
    const from = { env: context.process.env };
    return summarize(await planSecrets(cluster, needed, from, PLACEHOLDER));
  });
  return [finding];
}

function summarize(plans: readonly SecretPlan[]): Finding {
  const name = 'Secrets';
  const namesOf = (...states: readonly SecretPlan['state'][]): string =>
    plans
      .filter(({ state }) => states.includes(state))
      .map(({ needed }) => needed.name)
      .join(', ');
  const incomplete = namesOf('incomplete');
  if (incomplete !== '') {
    return {
      name,
      status: 'failed',
      summary: `nobody has given what belongs into ${incomplete}`,
      remedy: './flywheel secrets sync --dry-run says how to give it.',
    };
  }
  const open = namesOf('make', 'change');
  if (open === '') return { name, status: 'ok', summary: `all ${plans.length} are there` };
  const remedy = 'Write them before the first apply: ./flywheel secrets sync';
  return { name, status: 'failed', summary: `not written yet: ${open}`, remedy };
}
