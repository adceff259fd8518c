import { fileFlags } from '../config/flags.ts';

/** Which stacks in which environment, and where their state is. */
export const deployFlags = {
  environment: {
    kind: 'parsed',
    parse: String,
    placeholder: 'NAME',
    brief: 'Environment [default = $FLYWHEEL_ENVIRONMENT, else the only one]',
    optional: true,
  },
  backend: {
    kind: 'enum',
    values: ['gitlab', 'local'],
    brief: 'Where the state is: in the deploy project, or on this disk to try things out',
    default: 'gitlab',
  },
  ...fileFlags,
  stacks: {
    kind: 'parsed',
    parse: String,
    placeholder: 'DIR',
    brief: 'Folder with the stacks [default = tofu/stacks of flywheel itself]',
    optional: true,
  },
  acceptState: {
    kind: 'boolean',
    brief: 'Take the state as it is, although it is empty or another than the last known one',
    withNegated: false,
    optional: true,
  },
} as const;

export const allFlag = {
  kind: 'boolean',
  brief: 'All stacks, in the order of their dependencies',
  withNegated: false,
  optional: true,
} as const;

export const allowDestroyFlag = {
  kind: 'parsed',
  parse: String,
  placeholder: 'OBJECT',
  brief: 'What holds data and may be destroyed, as the plan names it; may be given several times',
  variadic: true,
  optional: true,
} as const;

export const stackName = {
  parse: String,
  placeholder: 'STACK',
  brief: 'Name of the stack: operators, attic',
} as const;
