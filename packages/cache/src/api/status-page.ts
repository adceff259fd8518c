import { formatBytes, formatDuration } from '@flywheel/base';
import type { StoreStatistics } from '../db/metadata.ts';
import type { Run } from '../db/runs.ts';
import { renderRetention } from './status-retention.ts';

export interface PublicCacheStatus {
  readonly name: string;
  readonly publicKey: string;
  readonly substituter: string;
}

export interface Status {
  readonly statistics: StoreStatistics;
  /** Public caches only: what an anonymous caller may know. */
  readonly caches: readonly PublicCacheStatus[];
  readonly extra: Readonly<Record<string, unknown>>;
  readonly takenAt: number;
  /** The last run of retention that has ended. */
  readonly lastRun: Run | undefined;
}

/** The status page: one file, no script, nothing from elsewhere. */
export function renderStatusPage(status: Status, withFigures: boolean): string {
  const { caches, extra, takenAt } = status;
  const uptime = typeof extra['uptime_ms'] === 'number' ? formatDuration(extra['uptime_ms']) : '–';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>Glorious Flywheel · binary cache</title>
<style>${STYLE}</style>
</head>
<body>
<header>
${WHEEL}
<div><h1>Glorious Flywheel</h1>
<p>binary cache · version ${escapeHtml(typeof extra['version'] === 'string' ? extra['version'] : 'unknown')} · up ${uptime}</p></div>
</header>
<main>
${withFigures ? renderFigures(status.statistics) : '<p class="note">The figures of this store are shown to holders of a token, as JSON.</p>'}
${withFigures ? renderTurn(extra['last_turn']) : ''}
${withFigures ? renderRetention(status.lastRun) : ''}
<section>
<h2>Use it</h2>
${caches.length === 0 ? '<p>No public cache. Private ones are not listed here.</p>' : caches.map(renderCache).join('\n')}
</section>
</main>
<footer>Counted ${new Date(takenAt).toISOString()} from the store's own database. The same as JSON: <a href="/_status.json">/_status.json</a></footer>
</body>
</html>
`;
}

function renderFigures(statistics: StoreStatistics): string {
  const figures: [string, string][] = [
    ['store paths', count(statistics.objects)],
    ['NARs', count(statistics.nars)],
    ['plain size', formatBytes(statistics.logicalBytes)],
    ['stored', formatBytes(statistics.storedBytes)],
    ['chunks', count(statistics.chunks)],
    ['caches', count(statistics.caches)],
  ];
  const cells = figures.map(([name, value]) => `<dl><dt>${name}</dt><dd>${value}</dd></dl>`);
  const saving = savingOf(statistics) ?? 'The store is empty: push something to see what it saves.';
  return `<section aria-label="figures" class="figures">
${cells.join('\n')}
</section>
<p class="note">${escapeHtml(saving)}</p>`;
}

function renderCache(cache: Status['caches'][number]): string {
  const lines = `extra-substituters = ${cache.substituter}\nextra-trusted-public-keys = ${cache.publicKey}`;
  return `<h3>${escapeHtml(cache.name)}</h3>\n<p>In <code>nix.conf</code>:</p>\n<pre>${escapeHtml(lines)}</pre>`;
}

/** What deduplication and compression make of it; undefined for an empty store. */
function savingOf({ logicalBytes, storedBytes }: StoreStatistics): string | undefined {
  if (storedBytes === 0 || logicalBytes === 0) return undefined;
  const ratio = (logicalBytes / storedBytes).toFixed(1);
  return `${formatBytes(logicalBytes)} of NARs take ${formatBytes(storedBytes)}: ${ratio} times smaller.`;
}

/** What `flywheel up` tells of the wheel's last turn; nothing when the server runs on its own. */
function renderTurn(turn: unknown): string {
  if (typeof turn !== 'object' || turn === null) return '';
  const fields = turn as Readonly<Record<string, unknown>>;
  const lines = Array.isArray(fields['lines']) ? (fields['lines'] as unknown[]) : [];
  if (lines.length === 0) return '';
  const state = fields['ok'] === true ? 'good' : fields['ok'] === false ? 'bad' : 'running';
  const items = lines.map((line) => `<li>${escapeHtml(String(line))}</li>`).join('\n');
  return `<section class="turn ${state}"><h2>The wheel's last turn</h2>\n<ul>${items}</ul></section>`;
}

function count(value: number): string {
  return value.toLocaleString('en-US').replaceAll(',', ' ');
}

export function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => names[character] as string);
}

const WHEEL = `<svg viewBox="0 0 48 48" width="56" height="56" role="img" aria-label="a flywheel">
<g fill="none" stroke="currentColor" stroke-width="3"><circle cx="24" cy="24" r="20"/><circle cx="24" cy="24" r="5"/>
<path d="M24 4v15M24 29v15M4 24h15M29 24h15M9.9 9.9l10.6 10.6M27.5 27.5l10.6 10.6M9.9 38.1l10.6-10.6M27.5 20.5L38.1 9.9" stroke-width="2"/></g></svg>`;

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;--card:#fff;--ground:#f4f6f8;--accent:#0b6bcb;--good:#1a7f4b;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b4;--line:#2d3642;--card:#1a212b;--ground:#11161d;--accent:#6cb2ff;--good:#4cc38a;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header{display:flex;gap:1rem;align-items:center;color:var(--accent)}
header h1{margin:0;font-size:1.5rem;color:var(--ink)}header p{margin:0;color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1.5rem 0 .5rem}
dl{margin:0;padding:.9rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
.note{color:var(--soft);margin:.25rem 0 1.5rem}
section:not(.figures){background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.25rem 1.25rem 1rem;margin-bottom:1rem}
h2{font-size:1.1rem}h3{font-size:1rem;margin-bottom:0}
pre{overflow-x:auto;background:var(--ground);border:1px solid var(--line);border-radius:.4rem;padding:.75rem}
.turn{border-left:4px solid var(--soft)!important}.turn.good{border-left-color:var(--good)!important}.turn.bad{border-left-color:var(--bad)!important}
ul{padding-left:1.2rem}footer{color:var(--soft);font-size:.85rem}a{color:var(--accent)}
`;
