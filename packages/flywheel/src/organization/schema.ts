import { formatEditorSchema } from '@flywheel/organization';
import type { CliContext } from '../context.ts';

export async function runConfigSchema(context: CliContext): Promise<void> {
  context.process.stdout.write(formatEditorSchema());
}
