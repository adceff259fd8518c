import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from '../child.ts';

/**
 * Writes an image of one program, which needs no libraries, as `docker save` lays it out (a layer, the
 * configuration, and a manifest.json that names them), and answers the path of the archive.
 */
export async function writeProgramImage(
  folder: string,
  name: string,
  program: string,
): Promise<string> {
  const command = basename(program);
  const draft = join(folder, 'images', command);
  await mkdir(join(draft, 'root'), { recursive: true });
  await copyFile(program, join(draft, 'root', command));
  await tar(['-C', join(draft, 'root'), '-cf', join(draft, 'layer.tar'), command]);
  const layer = await readFile(join(draft, 'layer.tar'));
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [`/${command}`] },
    rootfs: {
      type: 'layers',
      diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`],
    },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  await writeFile(join(draft, 'config.json'), JSON.stringify(config));
  await writeFile(join(draft, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(draft, 'image.tar');
  await tar(['-C', draft, '-cf', archive, 'manifest.json', 'config.json', 'layer.tar']);
  return archive;
}

async function tar(args: readonly string[]): Promise<void> {
  const { status, stderr } = await runChild(['tar', ...args], { env: { PATH: '/usr/bin:/bin' } });
  if (status !== 0) throw new FlywheelError('unavailable', `tar ${args.join(' ')}: ${stderr}`);
}
