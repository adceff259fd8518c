import { parseDuration } from '@flywheel/base';
import { fileFlags } from '../config/flags.ts';

/** Which environment a command works on: its context of the kubeconfig, and no other. */
export const environmentFlags = {
  environment: {
    kind: 'parsed',
    parse: String,
    placeholder: 'NAME',
    brief: 'Environment of the organization [default = $FLYWHEEL_ENVIRONMENT, else the only one]',
    optional: true,
  },
  ...fileFlags,
} as const;

export const timeoutFlag = {
  kind: 'parsed',
  parse: parseDuration,
  placeholder: 'DURATION',
  brief: 'How long replaced pods may take',
  default: '10m',
} as const;
