import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from '@flywheel/testing';

export interface RequestLoad {
  readonly url: string;
  /** Asked for in turn, beginning with a slash. */
  readonly paths: readonly string[];
  /** What every answer has to be. */
  readonly status: number;
  readonly connections: number;
  readonly seconds: number;
  /** Scratch space. */
  readonly folder: string;
}

export interface RequestRate {
  readonly perSecond: number;
  readonly medianMs: number;
}

// Each thread has its own copy of this script; one thread is enough for a loopback server.
// What done() reads of a thread has to be global there.
const SCRIPT = `
requests, wrong, next = {}, 0, 0
function init(args)
  for line in io.lines(args[1]) do requests[#requests + 1] = wrk.format("GET", line) end
  expected = tonumber(args[2])
end
function request()
  next = next % #requests + 1
  return requests[next]
end
function response(status) if status ~= expected then wrong = wrong + 1 end end
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function done(summary, latency)
  for _, thread in ipairs(threads) do
    io.write(string.format('{"requests":%d,"micros":%d,"median":%d,"wrong":%d}\\n',
      summary.requests, summary.duration, latency:percentile(50), thread:get("wrong")))
  end
end
`;

/** The rate at which a server answers small requests, asked by wrk on one thread. */
export async function requestRate(load: RequestLoad): Promise<RequestRate> {
  const script = join(load.folder, 'wrk.lua');
  const list = join(load.folder, 'wrk.list');
  await writeFile(script, SCRIPT);
  await writeFile(list, load.paths.map((path) => `${path}\n`).join(''));
  const { url, connections, seconds } = load;
  const options = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency'];
  const command = ['/usr/bin/wrk', ...options, '-s', script, url, list, String(load.status)];
  const { stdout, stderr, status } = await runChild(command, { env: {} });
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (status !== 0 || line === undefined) {
    throw new FlywheelError('internal', `wrk ended with ${status}: ${stderr}${stdout}`);
  }
  const result = JSON.parse(line) as Record<'requests' | 'micros' | 'median' | 'wrong', number>;
  if (result.wrong > 0) {
    throw new FlywheelError(
      'internal',
      `${result.wrong} of ${result.requests} answers of ${url} were not ${load.status}`,
    );
  }
  return {
    perSecond: result.requests / (result.micros / 1e6),
    medianMs: result.median / 1000,
  };
}
