import { FlywheelError } from '@flywheel/base';
import { isScalar, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { API_VERSION } from './schema/organization.ts';

/** One step from a version of the schema to the next. */
export interface Migration {
  readonly from: string;
  readonly to: string;
  /** What it does to a file, for people. */
  readonly summary: string;
  /** Changes the document; its comments and the order of its keys stay. */
  readonly apply: (document: Document) => void;
}

/** Oldest first. flywheel/v1 is the first version: there is nothing to come from. */
const MIGRATIONS: readonly Migration[] = [];

export interface Migrated {
  readonly text: string;
  readonly steps: readonly Pick<Migration, 'from' | 'to' | 'summary'>[];
}

/**
 * Brings the text of an organization.yaml to the current version of the schema. Without a step, the
 * text is the same to the byte. Throws `invalid-input` when the file says no version or one that is
 * not known.
 */
export function migrateText(
  text: string,
  migrations: readonly Migration[] = MIGRATIONS,
  current = API_VERSION,
): Migrated {
  const document = parseDocument(text, { logLevel: 'silent', stringKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new FlywheelError('invalid-input', `the file is no YAML: ${error.message}`);
  }
  const steps: Migration[] = [];
  for (let version = versionOf(document); version !== current; version = versionOf(document)) {
    const step = migrations.find(({ from }) => from === version);
    if (step === undefined || steps.includes(step))
      throw unknownVersion(version, migrations, current);
    step.apply(document);
    // Into the node that is there, so that a comment beside it stays.
    const node = document.get('apiVersion', true);
    if (isScalar(node)) node.value = step.to;
    steps.push(step);
  }
  return {
    text: steps.length === 0 ? text : document.toString({ lineWidth: 0 }),
    steps: steps.map(({ from, to, summary }) => ({ from, to, summary })),
  };
}

function versionOf(document: Document): unknown {
  return document.get('apiVersion');
}

function unknownVersion(
  version: unknown,
  migrations: readonly Migration[],
  current: string,
): FlywheelError {
  const known = [...migrations.map(({ from }) => from), current].join(', ');
  const message =
    version === undefined
      ? 'the file says no apiVersion'
      : `apiVersion ${JSON.stringify(version)} is not known`;
  return new FlywheelError('invalid-input', message, { details: { hint: `Known: ${known}.` } });
}
