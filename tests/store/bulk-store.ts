import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The files of the packs of all even paths, empty. */
export async function writeBulkFiles(dataDir: string, paths: number): Promise<void> {
  for (let folder = 0; folder < 100; folder += 2) {
    await mkdir(join(dataDir, 'packs', String(folder).padStart(2, '0')), { recursive: true });
  }
  for (let at = 2; at <= paths; at += 2000) {
    const batch = Array.from({ length: 1000 }, (_, i) => at + 2 * i).filter((i) => i <= paths);
    await Promise.all(
      batch.map((i) => {
        const name = `${String(i).padStart(12, '0')}.pack`;
        return writeFile(join(dataDir, 'packs', String(i % 100).padStart(2, '0'), name), '');
      }),
    );
  }
}
