import { formatBytes, formatDuration } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createStyler } from './style.ts';

export interface ProgressOptions {
  readonly label: string;
  /** `bar` redraws one line of a terminal, `lines` prints one line at the end, `silent` nothing. */
  readonly mode: 'bar' | 'lines' | 'silent';
  /** In `unit`s. Without it there is no percentage. */
  readonly total?: number;
  readonly unit?: 'bytes' | 'items';
}

export interface Progress {
  advance(amount: number): void;
  /** For work whose size becomes known on the way. */
  setTotal(total: number): void;
  /** The step is done; `summary` replaces the amount and the rate of its closing line. */
  finish(summary?: string): void;
  /** The step has failed; its closing line says how. */
  fail(summary: string): void;
  /** Ends a step that did not finish: the terminal is as before, nothing claims success. */
  [Symbol.dispose](): void;
}

const REDRAW_MS = 100;
// The rate is that of the last seconds, so that the estimate follows a network that changes.
const RATE_WINDOW_MS = 5000;
const WIDEST_BAR = 24;
const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
export const CLEAR_LINE = '\r\u001B[2K';

export function startProgress(context: CliContext, options: ProgressOptions): Progress {
  const { clock, atExit } = context;
  const { stderr, env } = context.process;
  const { label, mode, unit = 'bytes' } = options;
  const style = createStyler(stderr, env);
  const startedMs = clock.now();
  const samples: { readonly atMs: number; readonly done: number }[] = [
    { atMs: startedMs, done: 0 },
  ];
  let { total } = options;
  let done = 0;
  let drawnMs = -Infinity;
  let open = true;

  const amount = (value: number): string => (unit === 'bytes' ? formatBytes(value) : String(value));
  const perSecond = (value: number, ms: number): number => (ms <= 0 ? 0 : (value * 1000) / ms);
  const rateText = (rate: number): string =>
    unit === 'bytes' ? `${formatBytes(Math.round(rate))}/s` : `${rate.toFixed(1)}/s`;

  const line = (rate: number): string => {
    const parts = total === undefined ? [amount(done)] : [percent(done, total)];
    if (total !== undefined) parts.push(`${amount(done)} / ${amount(total)}`);
    if (rate > 0) parts.push(rateText(rate));
    if (rate > 0 && total !== undefined && done < total) {
      parts.push(`${timeLeft((total - done) / rate)} left`);
    }
    const text = parts.join('  ');
    // A line that wraps could not be redrawn: the bar gives way, then the line is cut.
    const room = stderr.columns - 1 - label.length - text.length - 4;
    const drawing = total === undefined || room < 8 ? '' : `${bar(done, total, room)}  `;
    return `${label}  ${drawing}${text}`.slice(0, stderr.columns - 1);
  };

  const draw = (): void => {
    const nowMs = clock.now();
    if (nowMs - drawnMs < REDRAW_MS) return;
    drawnMs = nowMs;
    samples.push({ atMs: nowMs, done });
    while (samples.length > 2 && nowMs - (samples[1]?.atMs ?? nowMs) >= RATE_WINDOW_MS) {
      samples.shift();
    }
    const first = samples[0] ?? { atMs: startedMs, done: 0 };
    const rate = perSecond(done - first.done, nowMs - first.atMs);
    stderr.write(CLEAR_LINE + line(rate));
  };

  const restore = (): void => {
    if (!open) return;
    open = false;
    atExit.delete(restore);
    if (mode === 'bar') stderr.write(CLEAR_LINE + SHOW_CURSOR);
  };

  if (mode === 'bar') {
    atExit.add(restore);
    stderr.write(HIDE_CURSOR);
    draw();
  }
  return {
    advance(by) {
      done += by;
      if (mode === 'bar' && open) draw();
    },
    setTotal: (value) => void (total = value),
    finish(summary) {
      if (!open) return;
      restore();
      if (mode === 'silent') return;
      const tookMs = clock.now() - startedMs;
      const rate = perSecond(done, tookMs);
      const closing =
        summary ??
        `${amount(done)} in ${formatDuration(tookMs)}${rate > 0 ? ` (${rateText(rate)})` : ''}`;
      stderr.write(`${style('green', '✔')} ${label}: ${closing}\n`);
    },
    fail(summary) {
      if (!open) return;
      restore();
      if (mode !== 'silent') stderr.write(`${style('red', '✘')} ${label}: ${summary}\n`);
    },
    [Symbol.dispose]: restore,
  };
}

function bar(done: number, total: number, room: number): string {
  const width = Math.min(WIDEST_BAR, room);
  const filled = Math.round(fraction(done, total) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** Whole seconds: more precision than an estimate has would only flicker. */
function timeLeft(seconds: number): string {
  return seconds < 60 ? `${Math.ceil(seconds)} s` : formatDuration(seconds * 1000);
}

function percent(done: number, total: number): string {
  return `${Math.floor(fraction(done, total) * 100)} %`.padStart(5);
}

/** Nothing to do is done; more than expected stays at 1. */
function fraction(done: number, total: number): number {
  return total <= 0 ? 1 : Math.min(1, done / total);
}
