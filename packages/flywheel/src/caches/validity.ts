import { FlywheelError, parseDuration } from '@flywheel/base';

// humantime, in which Attic's own documentation writes validities, has a month of 30.44 days.
const MONTH_MS = 2_630_016_000;

const LETTERS: Readonly<Record<string, string>> = {
  second: 's',
  sec: 's',
  minute: 'm',
  min: 'm',
  hour: 'h',
  hr: 'h',
  day: 'd',
  week: 'w',
  year: 'y',
  yr: 'y',
};

/** `30d`, `2y`, and as `atticadm` takes them `3 months`, `1 year 6 months` → ms. Throws `invalid-input`. */
export function parseValidity(text: string): number {
  let rest = '';
  let months = 0;
  for (const [, amount = '', unit = '', odd] of text.matchAll(/(\d+)\s*([A-Za-z]+)|(\S)/g)) {
    const word = unit.length > 1 ? unit.toLowerCase().replace(/s$/, '') : unit;
    if (odd !== undefined) rest += odd;
    else if (unit === 'M' || word === 'month') months += Number(amount);
    else rest += amount + (LETTERS[word] ?? unit);
  }
  const ms = months * MONTH_MS + (rest === '' && months > 0 ? 0 : parseValidityRest(text, rest));
  if (ms > 0) return ms;
  throw new FlywheelError('invalid-input', 'a token has to be valid for some time');
}

function parseValidityRest(text: string, rest: string): number {
  try {
    return parseDuration(rest);
  } catch (cause) {
    throw new FlywheelError(
      'invalid-input',
      `"${text}" is not a validity; write it like 12h, 30d, "3 months" or 2y`,
      { cause },
    );
  }
}
