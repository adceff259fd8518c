import { buildCommand } from '@stricli/core';
import { FlywheelError, parseBytes, parseDuration } from '@flywheel/base';
import type { ServeFlags } from '../../caches/serve.ts';
import type { CliContext } from '../../context.ts';
import { DEFAULT_LISTEN, parseListenAddress } from '../../listen-address.ts';
import { outputFlags } from '../../output/index.ts';
import { databaseFileFlag, dataFlag, parseCount, parseServerUrl, tokenKeysFlag } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { parseYesNo, s3Flags } from '../s3-flags.ts';
import { parseRetention } from './retention-flags.ts';

export const serve = buildCommand<ServeFlags, [], CliContext>({
  docs: {
    brief: 'Run the binary cache server',
    fullDescription: describe(
      `
Runs the binary cache on SQLite and a folder until Ctrl-C or SIGTERM, then lets transfers end and
ends with 0. With a PostgreSQL URL in FLYWHEEL_DATABASE_URL or --database-file, any number of servers
may share one database: run --role migrate once for each new version, then any number of --role api
and at least one --role gc. With --s3-bucket the packs are in S3; credentials come from AWS's own
variables, files and roles. The first start makes the data directory, the key that signs tokens, and an
administrator's token (keys/admin.token, mode 0600).

Logs are JSON lines on stderr. With --json, stdout gets one line when the server is ready:
{"url", "pid", "data"}.`,
      [
        ['./flywheel cache serve', 'on this machine, for this machine'],
        ['./flywheel cache serve --data /srv/flywheel', 'with another data directory'],
        ['./flywheel cache serve --listen 0.0.0.0:8080', 'for others too; put TLS before it'],
        [
          './flywheel cache serve --s3-bucket nix-cache --s3-endpoint https://minio.example.org',
          'with packs in a bucket; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set',
        ],
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
      databaseFile: databaseFileFlag,
      role: {
        kind: 'enum',
        values: ['all', 'api', 'gc', 'migrate'],
        brief:
          'Do everything, only answer clients, only reclaim, or bring the database up to date and end',
        default: 'all',
      },
      ...s3Flags,
      downloads: {
        kind: 'enum',
        values: ['proxy', 'redirect'],
        brief: 'Send NARs from S3 ourselves, or redirect clients to a signed URL of the bucket',
        default: 'proxy',
      },
      sendFile: {
        kind: 'parsed',
        parse: String,
        placeholder: 'HOW',
        brief:
          'Let the front server send packs: x-accel-redirect=/internal/ or x-sendfile [default = no]',
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
      wait: {
        kind: 'parsed',
        parse: parseDuration,
        placeholder: 'DURATION',
        brief: 'Wait for so long until database and bucket are there and let us in',
        default: '0s',
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
      scrubEvery: {
        kind: 'parsed',
        parse: parseScrubEvery,
        placeholder: 'TIME',
        brief:
          'How often all packs are read and checked: 30d, or "never" [default = 30d, with S3 never]',
        optional: true,
      },
      checkReads: {
        kind: 'parsed',
        parse: parseYesNo,
        placeholder: 'true|false',
        brief: 'Check packs after downloads have read them [default = true, with S3 false]',
        optional: true,
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
      tokenKeys: tokenKeysFlag,
      exchangePolicy: {
        kind: 'parsed',
        parse: String,
        placeholder: 'FILE',
        brief:
          'What ID tokens of GitLab are exchanged for [default = $FLYWHEEL_EXCHANGE_POLICY, else nothing]',
        optional: true,
      },
      requestsPerSecond: {
        kind: 'parsed',
        parse: parseCount(1, 1_000_000),
        placeholder: 'N',
        brief: 'Requests a second of one token [default = any]',
        optional: true,
      },
      anonymousRequestsPerSecond: {
        kind: 'parsed',
        parse: parseCount(1, 1_000_000),
        placeholder: 'N',
        brief: 'Requests a second of one address without a token [default = any]',
        optional: true,
      },
      uploadPerSecond: {
        kind: 'parsed',
        parse: parseBytes,
        placeholder: 'SIZE',
        brief: 'Upload a second of one token, such as 50MiB [default = any]',
        optional: true,
      },
      trustForwardedFor: {
        kind: 'boolean',
        brief: 'The last address in X-Forwarded-For is the client: a proxy of ours is in front',
        withNegated: false,
        optional: true,
      },
      auditDays: {
        kind: 'parsed',
        parse: parseCount(1, 3650),
        placeholder: 'DAYS',
        brief: 'How long the audit log is kept',
        default: '90',
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

/** `30d` → milliseconds; `never` is 0. Throws `invalid-input`. */
function parseScrubEvery(text: string): number {
  if (text === 'never') return 0;
  const ms = parseDuration(text);
  if (ms >= 3_600_000) return ms;
  throw new FlywheelError('invalid-input', `"${text}" is too often; an hour is the least`);
}
