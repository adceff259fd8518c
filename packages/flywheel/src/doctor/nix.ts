import type { CliContext } from '../context.ts';
import type { Finding } from './check.ts';
import { outputOf } from './command.ts';

const COMMAND = ['--extra-experimental-features', 'nix-command'] as const;

/** Nix is not needed to serve or to fill the cache, only to use it. */
export async function checkNix(context: CliContext, port: number): Promise<readonly Finding[]> {
  const version = await outputOf(context, 'nix', ['--version']);
  if (version === undefined) {
    return [
      {
        name: 'Nix',
        status: 'absent',
        summary: 'not installed (flywheel works without it)',
        remedy: 'To use the cache from this machine: https://nixos.org/download',
      },
    ];
  }
  const found: Finding = { name: 'Nix', status: 'ok', summary: version.trim() };
  return [found, substituterFinding(await substituters(context), port)];
}

/** Pure: whether one of Nix's substituters is the cache on this port. */
export function substituterFinding(urls: readonly string[] | undefined, port: number): Finding {
  const name = 'Nix substituter';
  if (urls === undefined) {
    const remedy = 'Look yourself: nix show-config | grep substituters';
    return { name, status: 'absent', summary: 'nix does not tell its configuration', remedy };
  }
  const ours = urls.find((url) => isLocal(url, port));
  if (ours !== undefined) return { name, status: 'ok', summary: `${ours} is configured` };
  return {
    name,
    status: 'absent',
    summary: `no cache on port ${port} in nix.conf`,
    remedy: 'Add the lines that `./flywheel up` prints to /etc/nix/nix.conf.',
  };
}

function isLocal(url: string, port: number): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, port: urlPort } = new URL(url);
  return urlPort === String(port) && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}

/** `nix config show` is its name since 2.20, `nix show-config` the one before. */
async function substituters(context: CliContext): Promise<readonly string[] | undefined> {
  const text =
    (await outputOf(context, 'nix', [...COMMAND, 'config', 'show', '--json'])) ??
    (await outputOf(context, 'nix', [...COMMAND, 'show-config', '--json']));
  if (text === undefined) return undefined;
  const settings = JSON.parse(text) as Readonly<Record<string, { value?: unknown } | undefined>>;
  return ['substituters', 'trusted-substituters'].flatMap((key) => {
    const value = settings[key]?.value;
    return Array.isArray(value) ? value.map(String) : [];
  });
}
