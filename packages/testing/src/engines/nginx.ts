import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import { startChild, stopChild } from './child.ts';
import { freePort } from './free-port.ts';
import type { Missing } from './missing.ts';

const PROGRAM = '/usr/sbin/nginx';

export interface Nginx extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
  /** Its only process, to be measured against one process of ours; the master, when there is one. */
  readonly pid: number;
  /**
   * Has another `site` from now on; what is under way ends with the one before. Needs a master.
   */
  reload(site: (port: number) => string): Promise<void>;
}

export interface NginxOptions {
  readonly root: string;
  /** Also takes files with PUT, and makes the folders they need. */
  readonly writable?: boolean;
  /** In place of all that: what stands inside of `http`, with a server that listens on this port. */
  readonly site?: (port: number) => string;
  /** With a master process, as in production: without, there is one process only. */
  readonly master?: boolean;
}

/** Serves the files under `root` from a loopback port with sendfile, logging nothing. */
export async function startNginx(options: NginxOptions): Promise<Nginx | Missing> {
  const there = await access(PROGRAM).then(
    () => true,
    () => false,
  );
  if (!there) return { missing: `no ${PROGRAM}; Debian's package is nginx-light` };
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  const configuration = join(folder, 'nginx.conf');
  await writeFile(configuration, configurationText(folder, options, port));
  const child = startChild([PROGRAM, '-p', folder, '-c', configuration], { env: {} });
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
  const stop = async (): Promise<void> => {
    await stopChild(child);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}/`;
  let generation = 0;
  async function reload(site: (port: number) => string): Promise<void> {
    generation += 1;
    const marker = `add_header X-Configuration ${generation} always;`;
    const marked = { ...options, site: (at: number) => `${marker}\n${site(at)}` };
    await writeFile(configuration, configurationText(folder, marked, port));
    child.kill('SIGHUP');
    for (let tries = 0; tries < 100; tries += 1) {
      const answer = await fetch(url, { method: 'HEAD' }).catch(() => undefined);
      if (answer?.headers.get('X-Configuration') === String(generation)) return;
      await sleep(20);
    }
    throw new FlywheelError('unavailable', `nginx has not taken its new configuration: ${said}`);
  }
  for (let tries = 0; tries < 100; tries += 1) {
    if (child.exitCode !== null || child.pid === undefined) break;
    const answer = await fetch(url, { method: 'HEAD' }).catch(() => undefined);
    if (answer !== undefined) return { url, pid: child.pid, reload, [Symbol.asyncDispose]: stop };
    await sleep(50);
  }
  await stop();
  throw new FlywheelError('unavailable', `nginx did not start on port ${port}: ${said}`);
}

function configurationText(folder: string, options: NginxOptions, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join('\n');
  return `daemon off;
master_process ${options.master === true ? 'on' : 'off'};
user root;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
${temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  default_type application/octet-stream;
  ${options.site?.(port) ?? staticSite(options, port)}
}
`;
}

function staticSite({ root, writable }: NginxOptions, port: number): string {
  const writes = 'client_max_body_size 0; dav_methods PUT; create_full_put_path on;';
  return `server {
    listen 127.0.0.1:${port};
    location / { root ${root}; ${writable === true ? writes : ''} }
  }`;
}
