import { buildCommand } from '@stricli/core';
import { parseDuration } from '@flywheel/base';
import type { ServeFlags } from '../../caches/serve.ts';
import type { CliContext } from '../../context.ts';
import { DEFAULT_LISTEN, parseListenAddress } from '../../listen-address.ts';
import { outputFlags } from '../../output/index.ts';
import { dataFlag, parseServerUrl } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { parseRetention } from './retention-flags.ts';

export const serve = buildCommand<ServeFlags, [], CliContext>({
  docs: {
    brief: 'Run the binary cache server',
    fullDescription: describe(
      `
Runs the binary cache on SQLite and a folder until Ctrl-C or SIGTERM, then lets transfers end and
ends with 0. With a PostgreSQL URL in FLYWHEEL_DATABASE_URL or --database-file, any number of servers
may share one database. The first start makes the data directory, the key that signs tokens, and an
administrator's token (keys/admin.token, mode 0600).

Logs are JSON lines on stderr. With --json, stdout gets one line when the server is ready:
{"url", "pid", "data"}.`,
      [
        ['./flywheel cache serve', 'on this machine, for this machine'],
        ['./flywheel cache serve --data /srv/flywheel', 'with another data directory'],
        ['./flywheel cache serve --listen 0.0.0.0:8080', 'for others too; put TLS before it'],
        [
          './flywheel cache serve --api-endpoint https://cache.example.org/',
          'behind a proxy of that name',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      data: dataFlag,
      databaseFile: {
        kind: 'parsed',
        parse: String,
        placeholder: 'FILE',
        brief:
          'File with the URL of a PostgreSQL database [default = $FLYWHEEL_DATABASE_URL, else SQLite]',
        optional: true,
      },
      listen: {
        kind: 'parsed',
        parse: parseListenAddress,
        placeholder: 'HOST:PORT',
        brief: 'Where to listen; port 0 picks a free one',
        default: DEFAULT_LISTEN,
      },
      metricsListen: {
        kind: 'parsed',
        parse: parseListenAddress,
        placeholder: 'HOST:PORT',
        brief:
          'Also show /metrics, /healthz and /readyz here, to everybody [default = nowhere else]',
        optional: true,
      },
      drain: {
        kind: 'parsed',
        parse: parseDuration,
        placeholder: 'DURATION',
        brief: 'When asked to end, serve on for so long while /readyz answers 503',
        default: '0s',
      },
      grace: {
        kind: 'parsed',
        parse: parseDuration,
        placeholder: 'DURATION',
        brief: 'Then let transfers go on for so long before they are cut',
        default: '10s',
      },
      retention: {
        kind: 'parsed',
        parse: parseRetention,
        placeholder: 'TIME',
        brief: 'Caches without a period of their own keep paths for so long after their last use',
        default: 'forever',
      },
      apiEndpoint: {
        kind: 'parsed',
        parse: parseServerUrl,
        placeholder: 'URL',
        brief: 'Public URL of the API [default = as the client reached it]',
        optional: true,
      },
      substituterEndpoint: {
        kind: 'parsed',
        parse: parseServerUrl,
        placeholder: 'URL',
        brief: 'Public URL that Nix pulls from [default = that of the API]',
        optional: true,
      },
      allowedHost: {
        kind: 'parsed',
        parse: String,
        placeholder: 'HOST',
        brief: 'Serve only requests with this Host; may be given several times [default = any]',
        variadic: true,
        optional: true,
      },
      logLevel: {
        kind: 'enum',
        values: ['debug', 'info', 'warn', 'error'],
        brief: 'The least important log lines to write',
        default: 'info',
      },
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../caches/serve.ts')).runCacheServe),
});
