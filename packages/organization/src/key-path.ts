import { FlywheelError } from '@flywheel/base';
import type { Path } from './layers/node.ts';

const PLAIN = /^[A-Za-z_$][\w$-]*$/;

/** `runners.docker.isolation.nodeSelector["kubernetes.io/arch"]`, as people write keys. */
export function formatKeyPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!PLAIN.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** The other way round. Brackets without quotes hold a number or a name. Throws `invalid-input`. */
export function parseKeyPath(text: string): Path {
  const steps: (string | number)[] = [];
  // Between quotes, what JSON takes.
  const step =
    /(?:^|\.)([^.[\]"]+)|\[(\d+)\]|\[("(?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[0-9a-f]{4})*")\]|\[([^\]"]+)\]/uy;
  do {
    const match = step.exec(text);
    if (match === null) {
      throw new FlywheelError(
        'invalid-input',
        `"${text}" is no key; write it like cache.replicas.min or networkPolicy.egress[git]`,
      );
    }
    const [, word, index, quoted, name] = match;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(word ?? name ?? (JSON.parse(quoted ?? '""') as string));
  } while (step.lastIndex < text.length);
  return steps;
}
