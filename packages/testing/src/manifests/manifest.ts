/** A Kubernetes object as it is applied. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly spec?: Json;
  readonly [field: string]: unknown;
}

export type Labels = Readonly<Record<string, string>>;

/** What was parsed and not looked at yet: any field may be there, and be anything. */
export type Json = { readonly [field: string]: Json | undefined } & readonly Json[];

/** `Deployment attic/attic-api`, for messages. */
export function nameOf({ kind, metadata }: Manifest): string {
  const { namespace, name } = metadata;
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
