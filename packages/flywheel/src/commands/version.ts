import { buildCommand } from '@stricli/core';
import manifest from '../../package.json' with { type: 'json' };
import type { CliContext } from '../context.ts';
import { createOutput, outputFlags } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { describe } from './help.ts';

export const version = buildCommand<OutputFlags, [], CliContext>({
  docs: {
    brief: 'Show the versions of flywheel and of the Node it runs on',
    fullDescription: describe(
      'Shows the versions of flywheel and of the Node it runs on: what a bug report should start with.',
      [
        ['./flywheel version', 'two lines'],
        ['./flywheel version --json', 'the same, for scripts'],
        ['./flywheel --version', 'only the version of flywheel'],
      ],
    ),
  },
  parameters: { flags: outputFlags },
  func(flags) {
    const output = createOutput(this, flags);
    const { version: node, platform, arch } = process;
    output.print(`flywheel ${manifest.version}`);
    output.print(`node ${node.slice(1)} (${platform} ${arch})`);
    output.result({ flywheel: manifest.version, node: node.slice(1), platform, arch });
  },
});
