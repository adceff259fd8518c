// The grammar of github.com/distribution/reference, for references that name their registry.
const REFERENCE =
  /^(?<registry>(?:localhost|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+)(?::\d+)?)\/(?<path>[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*)(?::(?<tag>\w[\w.-]{0,127}))?(?<digest>@sha256:[0-9a-f]{64})?$/;

/** What is wrong with the reference of an image that is to be deployed; undefined when nothing is. */
export function imageProblem(text: string): string | undefined {
  const parts = REFERENCE.exec(text)?.groups;
  if (parts === undefined) {
    return 'is no reference of an image with its registry, as in "docker.io/library/debian:12-slim"';
  }
  if (parts['digest'] !== undefined) return undefined;
  if (parts['tag'] === undefined) return 'names no tag, so nobody knows what it will be tomorrow';
  if (parts['tag'] === 'latest') return 'has the tag "latest", which is another image every day';
  return undefined;
}

/** What is wrong with a repository of images (no tag, no digest); undefined when nothing is. */
export function repositoryProblem(text: string): string | undefined {
  const parts = REFERENCE.exec(text)?.groups;
  if (parts === undefined || parts['tag'] !== undefined || parts['digest'] !== undefined) {
    return 'is no repository of images, as in "registry.gitlab.com/acme/infrastructure"';
  }
  return undefined;
}
