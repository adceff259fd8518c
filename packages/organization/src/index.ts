export { loadOrganization } from './load.ts';
export type { Loaded, Merged } from './load.ts';
export { formatIssue } from './issue.ts';
export type { Issue } from './issue.ts';
export { formatPosition, positionOf } from './source.ts';
export type { Layer, Source } from './source.ts';
export type { Organization } from './schema/organization.ts';
