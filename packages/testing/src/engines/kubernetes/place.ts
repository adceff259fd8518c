/** Where the programs of a cluster run: on this machine, or in a sandbox of their own. */
export interface Place {
  /** The address at which they are reached from outside. */
  readonly address: string;
  /** The block of addresses that services get. */
  readonly serviceRange: string;
  /** What starts a program there. */
  command(words: readonly string[]): readonly string[];
  /** A port that is free there. */
  port(usual: number): Promise<number>;
}
