import { runAgent } from '@quorate/fencing/node';
import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { UsageError } from '../usage-error.js';
import { agentOptions, type TimeoutOption, timeoutOption } from './timeout-option.js';

/** `quorate fence agent`: one agent, with its arguments; its exit status is ours. */
export function agentCommand(io: CommandIo, exit: (code: number) => void): Command {
  return new Command('agent')
    .description('run one fence agent; its exit status is that of this command')
    .argument('<agent>', 'path of an executable, or its name: fence_ipmilan')
    .argument('[key=value...]', 'what it is told on its standard input')
    .option(
      '-o, --action <action>',
      'metadata, status, monitor, list, on, off, reboot; default: what the agent does by itself',
    )
    .addOption(timeoutOption())
    .addHelpText('after', '\nExample: quorate fence agent fence_dummy status_file=/tmp/switch -o status\n')
    .action(async (agent: string, pairs: readonly string[], options: TimeoutOption & { readonly action?: string }) => {
      const lines = [...pairs, ...(options.action === undefined ? [] : [`action=${options.action}`])];
      const odd = lines.find((line) => !/^[^\s=#][^=]*=[^\n]*$/.test(line));
      if (odd !== undefined) throw new UsageError(`found "${odd}", expected key=value`);
      const input = lines.map((line) => `${line}\n`).join('');
      const { how, status, output, errors } = await runAgent({ agent, input }, agentOptions(options, io));
      io.stdout.write(output);
      io.stderr.write(errors);
      if (how === 'timed-out') io.stderr.write(`${agent}: took longer than ${options.timeout} s and was killed\n`);
      exit(status);
    });
}
