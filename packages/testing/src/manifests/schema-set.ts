import { parseAllDocuments } from 'yaml';
import type { Manifest } from './manifest.ts';
import { schemaIssues } from './schema.ts';
import type { Definitions, Schema } from './schema.ts';

/** The schemas of many kinds, as `apiVersion/kind`. */
export class SchemaSet {
  readonly #schemas = new Map<string, { readonly schema: Schema; readonly refs: Definitions }>();

  /** Takes up Kubernetes' own kinds from the text of its `swagger.json`. */
  addOpenApi(text: string): void {
    const { definitions } = JSON.parse(text) as { readonly definitions: Definitions };
    for (const schema of Object.values(definitions)) {
      for (const { group, version, kind } of kindsOf(schema)) {
        const apiVersion = group === '' ? version : `${group}/${version}`;
        this.#schemas.set(`${apiVersion}/${kind}`, { schema, refs: definitions });
      }
    }
  }

  /** Takes up the custom resource definitions in a YAML file of any objects. */
  addDefinitions(text: string): void {
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as CustomResourceDefinition | null;
      if (object?.kind !== 'CustomResourceDefinition') continue;
      const { group, names, versions } = object.spec;
      for (const { name, schema } of versions) {
        // Metadata is Kubernetes' own, and here checked by nobody else.
        const { properties, ...rest } = schema.openAPIV3Schema;
        this.#schemas.set(`${group}/${name}/${names.kind}`, {
          schema: { ...rest, properties: { ...properties, metadata: {} } },
          refs: {},
        });
      }
    }
  }

  /** What is wrong with a manifest; undefined when there is no schema of its kind. */
  issues(manifest: Manifest): readonly string[] | undefined {
    const found = this.#schemas.get(`${manifest.apiVersion}/${manifest.kind}`);
    return found === undefined ? undefined : schemaIssues(manifest, found.schema, found.refs);
  }
}

interface CustomResourceDefinition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function kindsOf(schema: Schema): readonly GroupVersionKind[] {
  const marked = schema as { readonly 'x-kubernetes-group-version-kind'?: GroupVersionKind[] };
  return marked['x-kubernetes-group-version-kind'] ?? [];
}
