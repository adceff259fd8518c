import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  buildOnce,
  enginesFolder,
  isMissing,
  postgresSystem,
  startImageBuilder,
} from '@flywheel/testing';
import type { ImageBuilder, Missing, OperatorBuild, PostgresSystem } from '@flywheel/testing';

/** PostgreSQL for the operator; its tag begins with the version. */
export const POSTGRES_IMAGE = 'flywheel.test/acme/postgresql:18';

/** What is installed, under the names that their published manifests give their images. */
export interface DatabaseOperators {
  readonly operator: OperatorBuild;
  readonly plugin: OperatorBuild;
}

/** The image of the plugin, and of what it runs beside each instance. */
export function pluginImages({ version }: OperatorBuild): {
  readonly plugin: string;
  readonly sidecar: string;
} {
  const image = 'ghcr.io/cloudnative-pg/plugin-barman-cloud';
  return { plugin: `${image}:v${version}`, sidecar: `${image}-sidecar:v${version}` };
}

const SYSTEM = `FROM scratch
ADD system.tar /
ARG PROGRAMS
ENV PATH=\${PROGRAMS} LANG=C.UTF-8
USER 26:26
`;
const SIDECAR = `FROM ${POSTGRES_IMAGE}
COPY manager /manager
ENTRYPOINT ["/manager"]
`;
const TREE = `FROM scratch
COPY . /
USER 65532:65532
ENTRYPOINT ["/manager"]
`;

/**
 * An archive with the images of the operator, of its plugin, and of PostgreSQL, which are built on
 * first use (a minute) and kept.
 */
export async function databaseImages(operators: DatabaseOperators): Promise<string | Missing> {
  const { operator, plugin } = operators;
  const system = await postgresSystem();
  if (isMissing(system)) return system;
  const versions = `${operator.version}-${plugin.version}-${system.major}`;
  const folder = join(enginesFolder(), `cloudnative-pg-images-${versions}-${process.arch}`);
  const archive = join(folder, 'images.tar');
  if (existsSync(archive)) return archive;
  const builder = await startImageBuilder();
  if (isMissing(builder)) return builder;
  await using _ = builder;
  await buildOnce(folder, async (draft) => {
    await buildImages(builder, { ...operators, system }, join(draft, 'build'));
    await builder.save(join(draft, 'images.tar'));
    await rm(join(draft, 'build'), { recursive: true });
  });
  return archive;
}

async function buildImages(
  builder: ImageBuilder,
  { operator, plugin, system }: DatabaseOperators & { readonly system: PostgresSystem },
  folder: string,
): Promise<void> {
  const build = async (
    name: string,
    containerfile: string,
    context: string,
    args: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const file = join(folder, 'Containerfile');
    await writeFile(file, containerfile);
    await builder.build({ containerfile: file, context, name, args });
  };

  const postgres = join(folder, 'postgres');
  await mkdir(postgres, { recursive: true });
  await putFile(system.archive, join(postgres, 'system.tar'));
  await build(POSTGRES_IMAGE, SYSTEM, postgres, { PROGRAMS: system.path });

  const images = pluginImages(plugin);
  const managed = join(folder, 'plugin');
  await mkdir(managed);
  await putFile(plugin.program, join(managed, 'manager'));
  await build(images.plugin, TREE, managed);
  await build(images.sidecar, SIDECAR, managed);

  // It looks for its own program there, for each architecture that nodes may have.
  const tree = join(folder, 'operator');
  const program = `operator/manager_${process.arch === 'x64' ? 'amd64' : process.arch}`;
  await mkdir(join(tree, 'operator'), { recursive: true });
  await putFile(operator.program, join(tree, program));
  await symlink(program, join(tree, 'manager'));
  await build(`ghcr.io/cloudnative-pg/cloudnative-pg:${operator.version}`, TREE, tree);
}

/** Without copying, where both are on one disk. */
async function putFile(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}
