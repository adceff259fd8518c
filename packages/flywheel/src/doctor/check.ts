/** What one examination found. */
export interface Finding {
  readonly name: string;
  /** `failed` is needed and missing or broken; `absent` is optional and not there. */
  readonly status: 'ok' | 'failed' | 'absent';
  /** What is the case, with values. */
  readonly summary: string;
  /** What to do about it; several lines are possible. */
  readonly remedy?: string;
}
