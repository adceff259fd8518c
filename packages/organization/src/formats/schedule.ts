// CloudNativePG's schedules are those of Go's cron package with seconds: six fields. With the five
// that everybody knows, "0 0 * * *" becomes a backup every hour, and nothing says so.

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'second', least: 0, most: 59 },
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  {
    name: 'month',
    least: 1,
    most: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  {
    name: 'day of the week',
    least: 0,
    most: 6,
    words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  },
];

/** What is wrong with a six-field schedule; undefined when nothing is. */
export function scheduleProblem(text: string): string | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) {
    const count = fields.length === 1 ? '1 field' : `${fields.length} fields`;
    return `has ${count}, not six: second minute hour day month weekday, as in "0 0 3 * * *"`;
  }
  for (const [index, field] of FIELDS.entries()) {
    const wrong = fields[index]?.split(',').find((part) => !isPart(part, field));
    if (wrong === undefined) continue;
    return `has "${wrong}" as its ${field.name}, which goes from ${field.least} to ${field.most}`;
  }
  return undefined;
}

/** A star, a value or a range, with a step behind a slash. */
function isPart(part: string, field: Field): boolean {
  const match = /^(\*|\?|(\w+)(?:-(\w+))?)(?:\/([1-9]\d*))?$/.exec(part);
  if (match === null) return false;
  const [, , from, to] = match;
  if (from === undefined) return true;
  const first = valueOf(from, field);
  const last = to === undefined ? first : valueOf(to, field);
  return first !== undefined && last !== undefined && first <= last;
}

function valueOf(text: string, { least, most, words }: Field): number | undefined {
  const word = words?.indexOf(text.toLowerCase()) ?? -1;
  if (word >= 0) return word + least;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
