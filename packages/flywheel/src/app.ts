import {
  ArgumentScannerError,
  buildApplication,
  formatMessageForArgumentScannerError,
  help,
  run,
  text_en,
  version,
} from '@stricli/core';
import type { Application } from '@stricli/core';
import { messageOf } from '@flywheel/base';
import manifest from '../package.json' with { type: 'json' };
import { loadRoot } from './commands/index.ts';
import type { Root } from './commands/index.ts';
import type { CliContext } from './context.ts';
import { exitCodeOf, exitCodeOfStricli, explainError, reportError } from './exit.ts';

const NAME = './flywheel';
// Stricli wraps an error in bold red; ours colours only its first word.
const PLAIN = '\u001B[39m\u001B[22m';
const RED = '\u001B[1m\u001B[31m';

/**
 * Runs one command line and returns the exit code (docs/reference/exit-codes.md). Never throws:
 * whatever goes wrong is explained on stderr, and with --json as a document on stdout too.
 */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  const root = await loadRoot(argv[0]);
  await run(buildApp(root, argv, context), argv, context);
  return exitCodeOfStricli(context.process.exitCode ?? 0);
}

function buildApp(
  root: Root,
  argv: readonly string[],
  context: CliContext,
): Application<CliContext> {
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const verbose = own.includes('--verbose') || Boolean(context.process.env['FLYWHEEL_DEBUG']);
  const failed = (error: unknown, ansiColor: boolean): string => {
    if (own.includes('--json')) {
      context.process.stdout.write(`${JSON.stringify({ error: reportError(error) })}\n`);
    }
    const text = explainError(error, verbose);
    return ansiColor ? PLAIN + text.replace(/^Error:/, `${RED}$&${PLAIN}`) : text;
  };
  return buildApplication<CliContext>(
    root,
    {
      name: NAME,
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      documentation: { caseStyle: 'convert-camel-to-kebab' },
      determineExitCode: exitCodeOf,
      localization: {
        text: {
          ...text_en,
          briefs: {
            ...text_en.briefs,
            argumentEscapeSequence: 'Pass what follows on unread',
          },
          noCommandRegisteredForInput: ({ input, corrections }) =>
            `Unknown command "${input}"${didYouMean(corrections)}\n${seeHelp(root, own)}`,
          exceptionWhileParsingArguments: (error) =>
            `${usageMessage(error, own)}\n${seeHelp(root, own)}`,
          exceptionWhileRunningCommand: failed,
          exceptionWhileLoadingCommandFunction: failed,
          commandErrorResult: failed,
        },
      },
    },
    {
      help: help<CliContext>({
        brief: 'Show this help',
        defaultForRouteMap: true,
        formatting: {
          caseStyle: 'convert-camel-to-kebab',
          useAliasInUsageLine: false,
          onlyRequiredInUsageLine: false,
        },
      }),
      version: version<CliContext>({
        brief: 'Show the version',
        info: { currentVersion: manifest.version },
      }),
    },
  );
}

function didYouMean(corrections: readonly string[]): string {
  if (corrections.length === 0) return '.';
  return `, did you mean ${corrections.join(' or ').replaceAll('`', '"')}?`;
}

function usageMessage(error: unknown, argv: readonly string[]): string {
  if (!(error instanceof ArgumentScannerError)) return messageOf(error);
  return formatMessageForArgumentScannerError(error, {
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, exception }) => {
      const flag = `--${name}`;
      const given = argv.some((word) => word === flag || word.startsWith(`${flag}=`));
      return `${given ? flag : name}: ${messageOf(exception)}`;
    },
  });
}

/** Which help answers a mistake: that of the innermost command which the line names. */
function seeHelp(root: Root, argv: readonly string[]): string {
  const words = [NAME];
  let target: ReturnType<typeof root.getRoutingTargetForInput> = root;
  for (const word of argv) {
    if (target === undefined || !('getRoutingTargetForInput' in target)) break;
    target = target.getRoutingTargetForInput(word);
    if (target !== undefined) words.push(word);
  }
  return `See ${words.join(' ')} --help`;
}
