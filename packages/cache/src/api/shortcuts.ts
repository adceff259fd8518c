import type { IncomingMessage } from 'node:http';
import type { RouteName } from './exchange.ts';
import { narInfoShortcut } from './narinfo-shortcut.ts';
import { narShortcut } from './nar-shortcut.ts';
import type { ApiParts } from './parts.ts';
import type { Reply } from './reply.ts';

export interface QuickAnswer {
  readonly route: RouteName;
  readonly reply: Reply;
}

/** The answer to a request, when it can be given at once. */
export type Shortcut = (incoming: IncomingMessage) => QuickAnswer | undefined;

/** All of them; a request has at most one. */
export function shortcuts(parts: ApiParts): Shortcut {
  const narInfo = narInfoShortcut(parts);
  const nar = parts.handOver?.answerNow === undefined ? undefined : narShortcut(parts);
  return (incoming) => {
    const info = narInfo(incoming);
    if (info !== undefined) return { route: 'get-narinfo', reply: info };
    const file = nar?.(incoming);
    return file && { route: 'get-nar', reply: file };
  };
}
