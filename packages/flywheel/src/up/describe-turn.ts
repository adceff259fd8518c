import { formatBytes, formatDuration } from '@flywheel/base';
import { paths } from '../transfer/count.ts';
import type { Fed } from './feed.ts';
import type { Turn } from './turn.ts';

type Row = readonly [name: string, value: string];

/** What happened, for the terminal and the status page. Problems are not among it. */
export function describeTurn(turn: Turn): readonly Row[] {
  const rows = turn.fed === undefined ? [] : describeFed(turn.fed);
  return [...rows, ['took', formatDuration(turn.seconds * 1000)]];
}

function describeFed(fed: Fed): readonly Row[] {
  const { uploadedBytes, deduplicatedBytes, upstream } = fed;
  const sizes =
    uploadedBytes === 0
      ? ''
      : `, ${formatBytes(uploadedBytes)} → ${formatBytes(fed.storedBytes)} stored`;
  const share = deduplicatedBytes / Math.max(1, uploadedBytes);
  const percent = deduplicatedBytes === 0 ? '' : ` (${(100 * share).toFixed(1)} %)`;
  return [
    ['packed', `${paths(fed.paths)}, ${formatBytes(fed.bytes)}`],
    ['uploaded', `${paths(fed.uploaded)}${sizes}`],
    ['deduplicated', `${formatBytes(deduplicatedBytes)}${percent}`],
    ['already there', paths(fed.present)],
    ...(upstream > 0 ? [['in upstream caches', paths(upstream)] as const] : []),
    ['pulled back', `${paths(fed.verified)}, each NAR hash and signature verified`],
  ];
}
