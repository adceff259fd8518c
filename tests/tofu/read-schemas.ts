import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SchemaSet } from '@flywheel/testing';

/** A folder with the definitions of the custom resources, as their projects publish them. */
export const CRDS = process.env['FLYWHEEL_CRDS'];

/** The schemas of Kubernetes' own objects, and of the custom resources where there are some. */
export function readSchemas(openApi: string): SchemaSet {
  const schemas = new SchemaSet();
  schemas.addOpenApi(openApi);
  if (CRDS === undefined) return schemas;
  for (const file of globSync('*.yaml', { cwd: CRDS })) {
    schemas.addDefinitions(readFileSync(join(CRDS, file), 'utf8'));
  }
  return schemas;
}
