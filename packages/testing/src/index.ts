export { startCacheProcess } from './engines/cache-process.ts';
export type { CacheProcess, CacheProcessOptions } from './engines/cache-process.ts';
export { certManagerDefinitions } from './engines/cert-manager.ts';
export { barmanPlugin, cloudnativePg } from './engines/cloudnative-pg.ts';
export type { OperatorBuild } from './engines/cloudnative-pg.ts';
export { buildClosure } from './engines/closure.ts';
export type { BuiltClosure } from './engines/closure.ts';
export { runChild, startChild, stopChild } from './engines/child.ts';
export type { ChildOptions, RunOptions, RunResult } from './engines/child.ts';
export { CNPG_RELEASE, customResources } from './engines/custom-resources.ts';
export { unpackDebian } from './engines/debian-packages.ts';
export { buildOnce, enginesFolder } from './engines/engine-folder.ts';
export { startImageBuilder } from './engines/image-builder.ts';
export type { ImageBuild, ImageBuilder } from './engines/image-builder.ts';
export { isMissing } from './engines/missing.ts';
export type { Missing } from './engines/missing.ts';
export { startNginx } from './engines/nginx.ts';
export type { Nginx, NginxOptions } from './engines/nginx.ts';
export { findNix, NIX_VERSIONS } from './engines/nix-engine.ts';
export type { NixEngine, NixVersion } from './engines/nix-engine.ts';
export type { NixRunOptions, NixSettings, NixStore, NixStoreOptions } from './engines/nix-store.ts';
export { startVersity } from './engines/versity.ts';
export { minioProgram, startMinio } from './engines/minio.ts';
export { minioClient } from './engines/minio-client.ts';
export type { S3Server } from './engines/s3-server.ts';
export { postgresSystem } from './engines/postgres-system.ts';
export type { PostgresSystem } from './engines/postgres-system.ts';
export { startPostgres } from './engines/postgres.ts';
export type { Postgres } from './engines/postgres.ts';
export { figure, secondsSince } from './figure.ts';
export type { Figure, FigureTarget } from './figure.ts';
export { tflint } from './engines/tflint.ts';
export { buildTofu, outputOf, startTofu, writeProviderMirror } from './engines/tofu.ts';
export type { Tofu } from './engines/tofu.ts';
export {
  buildKubernetesPrograms,
  startKubernetes,
  startKubernetesApi,
} from './engines/kubernetes/start.ts';
export type { ControlPlane } from './engines/kubernetes/control-plane.ts';
export type { Kubernetes } from './engines/kubernetes/start.ts';
export { kubernetesOpenApi } from './engines/kubernetes-openapi.ts';
export { nameOf } from './manifests/manifest.ts';
export type { Manifest } from './manifests/manifest.ts';
export { podIssues, podTemplate } from './manifests/pod-rules.ts';
export { SchemaSet } from './manifests/schema-set.ts';
export { setIssues } from './manifests/set-rules.ts';
export { startGitlabState } from './doubles/gitlab-state.ts';
export type { GitlabState } from './doubles/gitlab-state.ts';
