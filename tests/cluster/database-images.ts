import { copyFile, link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, postgresSystem } from '@flywheel/testing';
import type { ImageBuilder, Missing, OperatorBuild } from '@flywheel/testing';

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

/** Builds the images of the operator, of its plugin, and of PostgreSQL. */
export async function buildDatabaseImages(
  { operator, plugin }: DatabaseOperators,
  builder: ImageBuilder,
  folder: string,
): Promise<Missing | undefined> {
  const system = await postgresSystem();
  if (isMissing(system)) return system;
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
  await mkdir(postgres);
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
  return undefined;
}

/** Without copying, where both are on one disk. */
async function putFile(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}
