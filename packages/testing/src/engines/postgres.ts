import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, glob, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import { runChild, startChild, stopChild } from './child.ts';
import { freePort } from './free-port.ts';
import type { Missing } from './missing.ts';

const SETPRIV = '/usr/bin/setpriv';
const USER = 'flywheel';

/** A PostgreSQL server of Debian's package, with an empty data directory that goes with it. */
export interface Postgres extends AsyncDisposable {
  /** As it says itself, for instance `15.18`. */
  readonly version: string;
  readonly port: number;
  /** The URL of a new, empty database; its user owns it and is superuser. */
  createDatabase(): Promise<string>;
  /** Runs SQL as superuser, by default in `postgres`; answers what psql prints, unaligned. */
  sql(text: string, database?: string): Promise<string>;
  /** Stops it at once, as a crash does. Its data stays. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

/**
 * Starts PostgreSQL on a loopback port: quick rather than durable, with passwords as in production.
 * Runs as the user `postgres` or `nobody` where we are root, which it refuses to be. Settings are
 * those of postgresql.conf.
 */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<Postgres | Missing> {
  const programs = await newestPrograms();
  if (programs === undefined) {
    return { missing: "no PostgreSQL in /usr/lib/postgresql; Debian's package is postgresql" };
  }
  const asUser = await userPrefix();
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  const password = randomBytes(12).toString('hex');
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', PGPASSWORD: password };
  const run = async (command: readonly string[], attempted: string): Promise<string> => {
    const { stdout, stderr, status } = await runChild(command, { env, cwd: folder });
    if (status === 0) return stdout.trim();
    throw new FlywheelError('unavailable', `${attempted}: ${stderr.trim().slice(-800)}`);
  };
  await initialize(folder, asUser, password, (rest) =>
    run([...asUser.prefix, join(programs, 'initdb'), ...rest], 'initdb'),
  );
  const port = await freePort();
  const server = new ServerProcess(
    [...asUser.prefix, join(programs, 'postgres'), ...serverArguments(folder, port, settings)],
    folder,
  );
  const sql = (text: string, database = 'postgres'): Promise<string> =>
    run(
      // prettier-ignore
      [join(programs, 'psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', `${port}`,
       '-U', USER, '-d', database, '-c', text],
      `psql ${text}`,
    );
  const start = (): Promise<void> => server.start(() => sql('select 1'));
  const dispose = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
    const version = (await sql('show server_version')).split(' ')[0] ?? '';
    let databases = 0;
    return {
      version,
      port,
      sql,
      async createDatabase() {
        databases += 1;
        await sql(`create database test_${databases}`);
        return `postgresql://${USER}:${password}@127.0.0.1:${port}/test_${databases}`;
      },
      stop: () => server.stop(),
      start,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

class ServerProcess {
  readonly #command: readonly string[];
  readonly #cwd: string;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(command: readonly string[], cwd: string) {
    this.#command = command;
    this.#cwd = cwd;
  }

  async start(ask: () => Promise<unknown>): Promise<void> {
    const child = startChild(this.#command, { env: { LC_ALL: 'C' }, cwd: this.#cwd });
    this.#child = child;
    child.stderr?.on('data', (piece: Buffer) => {
      this.#said = (this.#said + piece.toString()).slice(-4000);
    });
    let last: unknown;
    for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
      await sleep(50);
      try {
        await ask();
        return;
      } catch (error) {
        last = error;
      }
    }
    throw new FlywheelError('unavailable', `PostgreSQL did not start: ${this.#said}`, {
      cause: last,
    });
  }

  /** SIGQUIT: it neither waits for its clients nor writes a checkpoint. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGQUIT');
    await stopChild(child);
  }
}

function serverArguments(
  folder: string,
  port: number,
  others: Readonly<Record<string, string>>,
): readonly string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: `${port}`,
    unix_socket_directories: folder,
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '64MB',
    max_connections: '200',
    // Deadlocks are found at once, so that a test of thousands of transactions shows them as such.
    deadlock_timeout: '200ms',
    log_min_messages: 'fatal',
    ...others,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', join(folder, 'data'), ...options];
}

async function initialize(
  folder: string,
  { uid, gid }: RunAs,
  password: string,
  initdb: (rest: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await chmod(folder, 0o700);
  if (uid !== undefined && gid !== undefined) {
    await chown(passwordFile, uid, gid);
    await chown(folder, uid, gid);
  }
  // prettier-ignore
  await initdb(['-D', join(folder, 'data'), '-U', USER, '--pwfile', passwordFile,
    '--auth', 'scram-sha-256', '--no-sync', '-E', 'UTF8', '--locale', 'C']);
}

interface RunAs {
  readonly prefix: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/** How to run a program as somebody other than root. It still dies with us. */
async function userPrefix(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const user = (await idOf('-u', 'postgres')) === undefined ? 'nobody' : 'postgres';
  const uid = await idOf('-u', user);
  const gid = await idOf('-g', user);
  if (uid === undefined || gid === undefined) return { prefix: [] };
  const ids = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  // Changing the user clears the signal of the parent's death: asked for again.
  return { prefix: [SETPRIV, ...ids, '--pdeathsig', 'QUIT', '--'], uid, gid };
}

async function idOf(flag: '-u' | '-g', user: string): Promise<number | undefined> {
  const { stdout, status } = await runChild(['/usr/bin/id', flag, user], { env: {} });
  return status === 0 ? Number.parseInt(stdout, 10) : undefined;
}

/** The folder of programs of the newest version that is installed. */
async function newestPrograms(): Promise<string | undefined> {
  const found: string[] = [];
  for await (const path of glob('/usr/lib/postgresql/*/bin')) {
    const whole = await access(join(path, 'initdb')).then(
      () => true,
      () => false,
    );
    if (whole) found.push(path);
  }
  const versionOf = (path: string): number => Number(path.split('/')[4]);
  return found.toSorted((a, b) => versionOf(b) - versionOf(a))[0];
}
