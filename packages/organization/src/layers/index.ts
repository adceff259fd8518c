export { finish } from './finish.ts';
export type { UnmetDelete } from './finish.ts';
export { merge } from './merge.ts';
export type { MergeKeyOf } from './merge.ts';
export { fieldOf, findNode, toPlain } from './node.ts';
export type { Entry, ListNode, MapNode, Node, Path, ScalarNode } from './node.ts';
export {
  environmentNames,
  inEnvironment,
  misplacedOverrides,
  SAME_EVERYWHERE,
  withoutOverrides,
} from './overrides.ts';
