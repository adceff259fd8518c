import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { table } from 'node:console';

const FOLDER = join(import.meta.dirname, '../../.artifacts/rounds');

/** Collects what was measured, for a table on the terminal and a file with each single round. */
export class Report {
  readonly #name: string;
  readonly #rows: Record<string, Readonly<Record<string, number | string>>> = {};
  readonly #rounds: Record<string, unknown> = {};
  readonly #conditions: unknown;

  /** `conditions`: what the numbers hold for, such as the size of the workload. */
  constructor(name: string, conditions: unknown) {
    this.#name = name;
    this.#conditions = conditions;
  }

  /** A line of the table. `rounds` is all that it was computed from, and goes to the file only. */
  add(line: string, columns: Readonly<Record<string, number | string>>, rounds: unknown): void {
    this.#rows[line] = columns;
    this.#rounds[line] = rounds;
  }

  /** Prints the table and writes .artifacts/rounds/NAME.json. */
  async finish(): Promise<void> {
    table(this.#rows);
    const content = {
      name: this.#name,
      machine: { cpus: cpus().length, model: cpus()[0]?.model, node: process.version },
      conditions: this.#conditions,
      table: this.#rows,
      rounds: this.#rounds,
    };
    await mkdir(FOLDER, { recursive: true });
    const file = join(FOLDER, `${this.#name}.json`);
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  }
}
