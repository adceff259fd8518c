import { FlywheelError } from './error.ts';

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1536` → `1.5 KiB`. Binary units throughout the product. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1023.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `10GiB`, `512 KiB`, `4096` → bytes. Throws `invalid-input`. */
export function parseBytes(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB|PiB)?\s*$/i.exec(text);
  if (match === null) {
    throw new FlywheelError(
      'invalid-input',
      `"${text}" is not a size; write it like 10GiB or 4096`,
    );
  }
  const unit = BYTE_UNITS.findIndex((u) => u.toLowerCase() === (match[2] ?? 'B').toLowerCase());
  return Math.round(Number(match[1]) * 1024 ** unit);
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_557_600 } as const;

/** `90s`, `12h`, `30d`, `2y`, `1d12h` → milliseconds. Throws `invalid-input`. */
export function parseDuration(text: string): number {
  if (!/^(?:\d+[smhdwy])+$/.test(text)) {
    throw new FlywheelError(
      'invalid-input',
      `"${text}" is not a duration; write it like 90s, 12h, 30d or 2y`,
    );
  }
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([smhdwy])/g)) {
    seconds += Number(amount) * SECONDS[unit as keyof typeof SECONDS];
  }
  return seconds * 1000;
}

/** Milliseconds for a person: `850 ms`, `3.2 s`, `4 min 5 s`, `3 h 20 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
