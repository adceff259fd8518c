/** Which files a command about the configuration reads. */
export const fileFlags = {
  file: {
    kind: 'parsed',
    parse: String,
    placeholder: 'FILE',
    brief: 'The organization [default = config/organization.yaml]',
    optional: true,
  },
  upstream: {
    kind: 'parsed',
    parse: String,
    placeholder: 'FILE',
    brief: 'The layer below it [default = that of flywheel itself]',
    optional: true,
  },
} as const;

export const environmentFlag = {
  kind: 'parsed',
  parse: String,
  placeholder: 'NAME',
  brief: 'As it is in this environment [default = without the overrides of any]',
  optional: true,
} as const;
