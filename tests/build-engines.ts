// Builds the programs that the suites start, which takes minutes the first time: .ci/run does so
// while the first suites run. What cannot be built is said by the tests that miss it.
import {
  barmanPlugin,
  buildKubernetesPrograms,
  buildTofu,
  cloudnativePg,
  isMissing,
  kubernetesOpenApi,
  minioClient,
  postgresSystem,
  startMinio,
  startVersity,
  tflint,
} from '@flywheel/testing';

for (const start of [startVersity, startMinio]) {
  const server = await start();
  if (!isMissing(server)) await server[Symbol.asyncDispose]();
}
await buildTofu();
await tflint();
await kubernetesOpenApi();
await minioClient();
await buildKubernetesPrograms();
await cloudnativePg();
await barmanPlugin();
await postgresSystem();
