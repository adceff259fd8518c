// Builds the programs that the suites start, which takes minutes the first time: .ci/run does so
// while the first suites run. What cannot be built is said by the tests that miss it.
import {
  customResources,
  barmanPlugin,
  buildKubernetesPrograms,
  buildTofu,
  certManagerDefinitions,
  cloudnativePg,
  isMissing,
  kubernetesOpenApi,
  minioClient,
  startMinio,
  startVersity,
  tflint,
} from '@flywheel/testing';
import { databaseImages } from './cluster/database-images.ts';

for (const start of [startVersity, startMinio]) {
  const server = await start();
  if (!isMissing(server)) await server[Symbol.asyncDispose]();
}
await buildTofu();
await tflint();
await kubernetesOpenApi();
await customResources();
await minioClient();
await buildKubernetesPrograms();
await certManagerDefinitions();
const [operator, plugin] = [await cloudnativePg(), await barmanPlugin()];
if (!isMissing(operator) && !isMissing(plugin)) await databaseImages({ operator, plugin });
