export const vendorFlags = {
  lockFile: {
    kind: 'parsed',
    parse: String,
    placeholder: 'FILE',
    brief: 'The lock file [default = config/vendor.lock.yaml]',
    optional: true,
  },
  mirror: {
    kind: 'parsed',
    parse: String,
    placeholder: 'WHERE',
    brief:
      'Folder or URL with files NAME-VERSION.yaml, asked instead [default = $FLYWHEEL_VENDOR_MIRROR]',
    optional: true,
  },
} as const;
