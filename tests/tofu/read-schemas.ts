import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SchemaSet } from '@flywheel/testing';

/** The schemas of Kubernetes' own objects, and of custom resources whose definitions are in a folder. */
export function readSchemas(openApi: string, definitions: string): SchemaSet {
  const schemas = new SchemaSet();
  schemas.addOpenApi(openApi);
  for (const file of globSync('*.yaml', { cwd: definitions })) {
    schemas.addDefinitions(readFileSync(join(definitions, file), 'utf8'));
  }
  return schemas;
}
