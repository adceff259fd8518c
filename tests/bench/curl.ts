import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import { runChild } from '@flywheel/testing';

export interface Transfer {
  readonly url: string;
  /** Sent with PUT, with `Transfer-Encoding: chunked` as Attic's client does. */
  readonly upload?: string;
  /** Where to write the answer; discarded without this. */
  readonly output?: string;
  readonly headers?: readonly string[];
}

export interface TransferOptions {
  /** Scratch space for curl's list. */
  readonly folder: string;
  /** Transfers at once. With 1, all of them go over one connection. */
  readonly parallel: number;
}

export interface TransferResult {
  readonly seconds: number;
  /** Of the answers' bodies. */
  readonly receivedBytes: number;
}

/**
 * One curl that does all transfers: the same program against every server, in C, in a process of
 * its own. Throws when any answer is not a success.
 */
export async function transferAll(
  transfers: readonly Transfer[],
  { folder, parallel }: TransferOptions,
): Promise<TransferResult> {
  const list = join(folder, 'curl.list');
  await writeFile(list, transfers.map(formatTransfer).join('next\n'));
  const many = parallel > 1 ? ['--parallel', '--parallel-max', String(parallel)] : [];
  const command = ['/usr/bin/curl', '--silent', '--show-error', ...many, '--config', list];
  const begin = performance.now();
  const result = await runChild(command, { env: {}, timeoutMs: 1_200_000 });
  const seconds = (performance.now() - begin) / 1000;
  const answers = result.stdout.split('\n').filter((line) => line !== '');
  const good = answers.filter((line) => line.startsWith('2'));
  if (result.status !== 0 || good.length !== transfers.length) {
    const wrong = answers.find((line) => !line.startsWith('2')) ?? result.stderr;
    throw new FlywheelError(
      'internal',
      `${good.length} of ${transfers.length} transfers succeeded; one answer was: ${wrong}`,
    );
  }
  const receivedBytes = answers.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  return { seconds, receivedBytes };
}

function formatTransfer(transfer: Transfer): string {
  const headers = [...(transfer.headers ?? [])];
  const options: [string, string][] = [
    ['url', transfer.url],
    ['output', transfer.output ?? '/dev/null'],
    ['write-out', '%{http_code} %{size_download} %{url}\\n'],
  ];
  if (transfer.upload !== undefined) {
    options.push(['upload-file', transfer.upload]);
    // An empty Expect, or curl waits for a go-ahead before each body.
    headers.push('Transfer-Encoding: chunked', 'Expect:');
  }
  options.push(...headers.map((header): [string, string] => ['header', header]));
  return options.map(([name, value]) => `${name} = ${quote(value)}\n`).join('');
}

/** As curl's config files want it; `\n` for write-out is curl's own escape and passes through. */
function quote(value: string): string {
  return `"${value.replaceAll(/\\(?!n)/g, '\\\\').replaceAll('"', '\\"')}"`;
}
