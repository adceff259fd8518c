/** The Kubernetes that the tests know: its schemas and its programs. */
export const KUBERNETES_VERSION = '1.37.2';
