import { FlywheelError, messageOf } from '@flywheel/base';
import { parseNarInfo, parseStorePath } from '@flywheel/nix';
import type { NarInfo } from '@flywheel/nix';

/** A narinfo as a server answered it. Throws `corrupt`, also when it is another path's. */
export function parseNarInfoAnswer(text: string, url: URL, hash: string): NarInfo {
  let info: NarInfo;
  try {
    info = parseNarInfo(text);
  } catch (error) {
    throw new FlywheelError('corrupt', `${url.href}: ${messageOf(error)}`, { cause: error });
  }
  if (parseStorePath(info.storePath).hash === hash) return info;
  throw new FlywheelError('corrupt', `${url.href} describes another path, ${info.storePath}`);
}

/** Where the NAR's file is. Throws `corrupt` for a URL that leads out of HTTP, or out of TLS. */
export function narUrl(info: NarInfo, substituter: URL): URL {
  const url = URL.canParse(info.url, substituter.href) ? new URL(info.url, substituter) : undefined;
  if (url?.protocol === substituter.protocol || url?.protocol === 'https:') return url;
  throw new FlywheelError(
    'corrupt',
    `the narinfo of ${info.storePath} has an unusable URL: ${JSON.stringify(info.url)}`,
  );
}
