/** Where a server of Attic keeps its objects, as the database remembers it. */
export type AtticLocation =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly endpoint?: string | undefined;
      readonly region?: string | undefined;
      readonly pathStyle?: boolean | undefined;
    };

/** A place of Attic's objects that was taken over, see `import-attic/`. */
export interface AtticPlace {
  readonly id: number;
  readonly location: AtticLocation;
  /** From then on its objects are ours to remove; until then nothing of it is. */
  readonly finishedAt: number | undefined;
}

const KEY = /^attic\/([1-9]\d{0,8})\/([0-9a-f-]{36}\.chunk)$/;

/** An object is named after a random UUID. Anything else in the same place is not Attic's. */
export function isAtticObject(name: string): boolean {
  return /^[0-9a-f-]{36}\.chunk$/.test(name);
}

/** The key of the pack that an object of Attic is for us: one zstd frame, and no index. */
export function atticKey(place: number, name: string): string {
  return atticPrefix(place) + name;
}

export function atticPrefix(place: number): string {
  return `attic/${place}/`;
}

/** Undefined for the key of any other blob. */
export function parseAtticKey(
  key: string,
): { readonly place: number; readonly name: string } | undefined {
  const [, place, name] = KEY.exec(key) ?? [];
  return name === undefined ? undefined : { place: Number(place), name };
}
