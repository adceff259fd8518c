import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import { DEFAULT_STORE_DIR, encodeNar, parseSha256, parseStorePath } from '@flywheel/nix';
import { dependenciesFirst } from './dependencies-first.ts';
import { narOfPath } from './nar-of-path.ts';
import type { PathSource } from './path-source.ts';
import { readStoreDatabase } from './store-database.ts';

export interface LocalStoreOptions {
  /** The folder below which the store and its state lie, as in Nix's `local?root=…`. */
  readonly root?: string;
  readonly storeDir?: string;
  readonly stateDir?: string;
}

type Row = Record<string, SQLOutputValue>;

const COLUMNS = 'id, path, hash, narSize, deriver, sigs, ca';

/** The paths asked for and all that they refer to, by themselves or through others. */
const CLOSURE = `with recursive closure(id) as (
  select id from ValidPaths where path in (select value from json_each(?))
  union
  select reference from Refs join closure on referrer = closure.id
)`;

/** The Nix store of this machine, read as Nix recorded it. Works without Nix, writes nothing. */
export class LocalStore {
  readonly storeDir: string;
  readonly #root: string;
  readonly #database: string;

  constructor(options: LocalStoreOptions = {}) {
    const { root = '/', storeDir = DEFAULT_STORE_DIR, stateDir = '/nix/var/nix' } = options;
    this.storeDir = storeDir;
    this.#root = resolve(root);
    this.#database = join(this.#root, stateDir, 'db/db.sqlite');
  }

  /** The path as Nix registered it, or undefined when it is not valid here. */
  async queryPath(storePath: string): Promise<PathSource | undefined> {
    return readStoreDatabase(this.#database, (database) => {
      const select = `select ${COLUMNS} from ValidPaths where path = ?`;
      const row = database.prepare(select).get(storePath);
      if (row === undefined) return undefined;
      const references = database
        .prepare(
          `select path from Refs join ValidPaths on id = reference
           where referrer = ? order by path`,
        )
        .all(row['id'] ?? null)
        .map((reference) => baseNameOf(String(reference['path'])));
      return this.#source(row, references);
    });
  }

  /**
   * These paths and everything they need, what a path refers to before the path itself.
   * Throws `not-found` with the name of a path that is not valid here.
   */
  async closure(storePaths: readonly string[]): Promise<readonly PathSource[]> {
    return readStoreDatabase(this.#database, (database) => {
      const wanted = JSON.stringify(storePaths);
      const rows = database
        .prepare(`${CLOSURE} select ${COLUMNS} from ValidPaths where id in closure order by path`)
        .all(wanted);
      const byId = new Map(rows.map((row) => [Number(row['id']), row]));
      const references = referencesById(database, wanted);
      const idOfPath = new Map(rows.map((row) => [String(row['path']), Number(row['id'])]));
      const roots = storePaths.map((path) => idOfPath.get(path) ?? throwNotValid(path));
      const order = dependenciesFirst(roots, (id) => references.get(id) ?? []);
      return order.map((id) => {
        const names = (references.get(id) ?? []).map((reference) =>
          baseNameOf(String(byId.get(reference)?.['path'])),
        );
        return this.#source(byId.get(id) ?? {}, names.toSorted());
      });
    });
  }

  /**
   * The store path that a path of this machine belongs to: a store path, something within one, or a
   * link to one, as `./result` is. Throws `invalid-input` when it is none of these.
   */
  resolve(path: string): string {
    let current = resolve(path);
    for (let links = 0; links < 40; links += 1) {
      if (current.startsWith(`${this.storeDir}/`)) {
        const baseName = current.slice(this.storeDir.length + 1).split('/')[0] ?? '';
        const storePath = `${this.storeDir}/${baseName}`;
        parseStorePath(storePath);
        return storePath;
      }
      current = followLink(current, path, this.storeDir);
    }
    throw new FlywheelError('invalid-input', `${path} leads through too many symlinks`);
  }

  #source(row: Row, references: readonly string[]): PathSource {
    const storePath = String(row['path']);
    const narSize = Number(row['narSize'] ?? 0);
    if (narSize <= 0) {
      throw new FlywheelError('unsupported', `Nix has not recorded the NAR size of ${storePath}`, {
        details: { hint: 'a very old Nix registered it; build or fetch it again' },
      });
    }
    const deriver = textOf(row['deriver']);
    const ca = textOf(row['ca']);
    const realPath = join(this.#root, storePath);
    return {
      storePath,
      references,
      narHash: parseSha256(String(row['hash'])),
      narSize,
      ...(deriver === undefined ? {} : { deriver: baseNameOf(deriver) }),
      ...(ca === undefined ? {} : { ca }),
      sigs: (textOf(row['sigs']) ?? '').split(' ').filter((signature) => signature !== ''),
      nar: () => encodeNar(narOfPath(realPath)),
    };
  }
}

function referencesById(database: DatabaseSync, wanted: string): Map<number, number[]> {
  const references = new Map<number, number[]>();
  const rows = database
    .prepare(
      `${CLOSURE} select referrer, reference from Refs where referrer in closure
       order by referrer, reference`,
    )
    .all(wanted);
  for (const row of rows) {
    const referrer = Number(row['referrer']);
    const known = references.get(referrer);
    if (known === undefined) references.set(referrer, [Number(row['reference'])]);
    else known.push(Number(row['reference']));
  }
  return references;
}

function followLink(path: string, asked: string, storeDir: string): string {
  let isLink: boolean;
  try {
    isLink = lstatSync(path).isSymbolicLink();
  } catch (error) {
    throw toFlywheelError(error, `find the store path of ${asked}`);
  }
  if (isLink) return resolve(dirname(path), readlinkSync(path));
  throw new FlywheelError('invalid-input', `${asked} is not in the Nix store ${storeDir}`, {
    details: { hint: 'give a store path, or a link to one like ./result' },
  });
}

function throwNotValid(path: string): never {
  throw new FlywheelError('not-found', `${path} is not a valid path of the local Nix store`, {
    details: { hint: `build or fetch it first: nix-store --realise ${path}` },
  });
}

function textOf(value: SQLOutputValue | undefined): string | undefined {
  return value === null || value === undefined || value === '' ? undefined : String(value);
}

function baseNameOf(storePath: string): string {
  return storePath.slice(storePath.lastIndexOf('/') + 1);
}
