import { FlywheelError } from '@flywheel/base';

/** Flags that several commands share. */
export const dataFlag = {
  kind: 'parsed',
  parse: String,
  placeholder: 'DIR',
  brief: 'Data directory [default = $XDG_DATA_HOME/flywheel]',
  optional: true,
} as const;

export const databaseFileFlag = {
  kind: 'parsed',
  parse: String,
  placeholder: 'FILE',
  brief:
    'File with the URL of a PostgreSQL database [default = $FLYWHEEL_DATABASE_URL, else SQLite]',
  optional: true,
} as const;

/** See `tokenKeysFolder`. */
export const tokenKeysFlag = {
  kind: 'parsed',
  parse: String,
  placeholder: 'DIR',
  brief:
    'Folder with the keys of tokens [default = $FLYWHEEL_TOKEN_KEYS, else that of the data directory]',
  optional: true,
} as const;

/** How a command finds the server and who it is there: see `findServer`. */
export const serverFlags = {
  server: {
    kind: 'parsed',
    parse: parseServerUrl,
    placeholder: 'URL',
    brief: 'Server [default = $FLYWHEEL_SERVER, else the one that serves the data directory]',
    optional: true,
  },
  tokenFile: {
    kind: 'parsed',
    parse: String,
    placeholder: 'FILE',
    brief: 'File with the token [default = $FLYWHEEL_TOKEN, else that of the data directory]',
    optional: true,
  },
  data: dataFlag,
} as const;

/** An http(s) URL, with a slash at its end. Throws `invalid-input`. */
export function parseServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search + url.hash !== '') {
    throw new FlywheelError(
      'invalid-input',
      `"${text}" is no URL of a server; write it like https://cache.example.org/`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new FlywheelError(
      'invalid-input',
      'a URL of a server takes no password; use --token-file or FLYWHEEL_TOKEN',
    );
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

/** A whole number of at least `least`. */
export function parseCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!/^-?\d+$/.test(text) || count < least || count > most) {
      throw new FlywheelError(
        'invalid-input',
        `"${text}" is not a whole number from ${least} to ${most}`,
      );
    }
    return count;
  };
}
