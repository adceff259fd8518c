import { outputFlags } from '../../../output/index.ts';
import { dataFlag, tokenKeysFlag } from '../../flags.ts';

/** Where the keys are. */
export const keyFlags = {
  tokenKeys: tokenKeysFlag,
  data: dataFlag,
  ...outputFlags,
} as const;

export const kid = {
  parse: String,
  placeholder: 'KID',
  brief: 'Id of the key, or the name of its file',
} as const;
