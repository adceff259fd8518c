import { FlywheelError } from '@flywheel/base';
import { openAtticObjects, type AtticObjects } from './attic-objects.ts';
import { parseAtticKey, type AtticPlace } from './attic-place.ts';
import type { Blobs } from './blobs.ts';

/**
 * Our blobs, and beside them, under keys of their own, the objects of Attic that were taken over
 * where they lie. These are opened and removed; everything else is about ours alone. `places` is
 * asked when a key names one that is not known yet: another process may just have taken it over.
 */
export function withAtticObjects(
  blobs: Blobs,
  places: () => Promise<readonly AtticPlace[]>,
): Blobs & AsyncDisposable {
  const opened = new Map<number, Promise<AtticObjects>>();

  function objectsOf(place: number): Promise<AtticObjects> {
    let objects = opened.get(place);
    if (objects === undefined) {
      objects = openPlace(place);
      opened.set(place, objects);
      // Another time it may be reachable.
      objects.catch(() => opened.delete(place));
    }
    return objects;
  }

  async function openPlace(id: number): Promise<AtticObjects> {
    const place = (await places()).find((each) => each.id === id);
    if (place !== undefined) return openAtticObjects(place.location);
    throw new FlywheelError('unavailable', `the database knows no storage ${id} of Attic`);
  }

  return {
    ...blobs,
    async open(key, seenSize) {
      const attic = parseAtticKey(key);
      if (attic === undefined) return blobs.open(key);
      return (await objectsOf(attic.place)).open(attic.name, seenSize);
    },
    async remove(key) {
      const attic = parseAtticKey(key);
      if (attic === undefined) return blobs.remove(key);
      return (await objectsOf(attic.place)).remove(attic.name);
    },
    async [Symbol.asyncDispose]() {
      for (const objects of opened.values()) {
        await objects.then(
          (each) => each.close(),
          () => {},
        );
      }
    },
  };
}
