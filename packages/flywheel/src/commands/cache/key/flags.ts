import { outputFlags } from '../../../output/index.ts';
import { dataFlag } from '../../flags.ts';

/** Where the keys are. */
export const keyFlags = {
  tokenKeys: {
    kind: 'parsed',
    parse: String,
    placeholder: 'DIR',
    brief: 'Folder with the keys [default = $FLYWHEEL_TOKEN_KEYS, else that of the data directory]',
    optional: true,
  },
  data: dataFlag,
  ...outputFlags,
} as const;

export const kid = {
  parse: String,
  placeholder: 'KID',
  brief: 'Id of the key, or the name of its file',
} as const;
