// The lines that tofu prints with -json:
// https://opentofu.org/docs/internals/machine-readable-ui/

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly detail?: string;
  readonly address?: string;
  readonly range?: { readonly filename: string; readonly start: { readonly line: number } };
}

/** What of a line the commands use; all else is passed over. */
export interface TofuMessage {
  readonly type: string;
  readonly diagnostic?: Diagnostic;
  /** Of what happens to one object. */
  readonly hook?: {
    readonly resource: { readonly addr: string };
    readonly action?: string;
    readonly elapsed_seconds?: number;
  };
}

/** One line; undefined for what is no message, such as what a provider prints by itself. */
export function parseMessage(line: string): TofuMessage | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Partial<TofuMessage>;
    return { ...value, type: value.type ?? '' };
  } catch {
    return undefined;
  }
}

export function formatDiagnostic({ summary, detail, address, range }: Diagnostic): string {
  const place = range === undefined ? address : `${range.filename}:${range.start.line}`;
  const head = place === undefined ? summary : `${place}: ${summary}`;
  return detail === undefined || detail === '' ? head : `${head}\n${detail.trim()}`;
}
