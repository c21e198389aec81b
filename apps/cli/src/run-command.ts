import { ConfigError } from '@quorate/kernel';
import type { Registry } from '@quorate/workers';
import { Command, CommanderError } from 'commander';
import { type CommandIo, coloursOf } from './command-io.js';
import { conformanceCommand } from './conformance-command.js';
import { diskCommand } from './disk/disk-command.js';
import { fenceCommand } from './fence/fence-command.js';
import { gfs2Command } from './gfs2/gfs2-command.js';
import { iscsiCommand } from './iscsi/iscsi-command.js';
import { replayCommand } from './replay-command.js';
import { rgCommand } from './rg-command.js';
import { SCENARIOS, type Scenarios } from './scenarios.js';
import { simCommand } from './sim-command.js';
import { storyCommand } from './story-command.js';
import { TOPOLOGIES } from './topologies.js';
import { totemCommand } from './totem/totem-command.js';
import { traceCommand } from './trace-command.js';
import { upCommand } from './up/up-command.js';
import { UsageError } from './usage-error.js';
import { Exit } from './verdict.js';
import { walkthroughCommand } from './walkthrough/walkthrough-command.js';

/**
 * Runs `quorate` with these arguments, and gives its exit code.
 *
 * A mistake of the user is one line on stderr. What is thrown otherwise is our own mistake, and goes on.
 */
export async function runCommand(
  argv: readonly string[],
  io: CommandIo,
  scenarios: Scenarios = SCENARIOS,
  topologies: Registry = TOPOLOGIES,
): Promise<number> {
  let code: number = Exit.passed;
  const exit = (result: number) => {
    code = result;
  };
  const program = new Command('quorate')
    .description('The Red Hat Cluster Suite stack, rebuilt: a cluster you can hold in one hand.')
    .helpCommand(true)
    .addCommand(storyCommand(io, exit))
    .addCommand(upCommand(io, exit))
    .addCommand(walkthroughCommand(io, exit))
    .addCommand(simCommand(io, scenarios, exit))
    .addCommand(traceCommand(io))
    .addCommand(replayCommand(io, topologies, exit))
    .addCommand(conformanceCommand(io, exit))
    .addCommand(rgCommand(io))
    .addCommand(diskCommand(io, exit))
    .addCommand(iscsiCommand(io))
    .addCommand(gfs2Command(io, exit))
    .addCommand(fenceCommand(io, exit))
    .addCommand(totemCommand(io, exit));
  const said = tame(program, io);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return afterCommander(error, argv, io, said.help);
    if (error instanceof UsageError || error instanceof ConfigError) return complain(io, error.message);
    throw error;
  }
}

/** Makes commander throw instead of leaving, in every command, and keep to itself what it would print on a mistake. */
function tame(program: Command, io: CommandIo): { readonly help: string } {
  const said = { help: '' };
  const each = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => {
        said.help = text;
      },
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stdout.columns ?? 80,
      getOutHasColors: () => coloursOf(io.stdout, io.env).isColorSupported,
      getErrHasColors: () => coloursOf(io.stdout, io.env).isColorSupported,
    });
    command.commands.forEach(each);
  };
  each(program);
  return said;
}

function afterCommander(error: CommanderError, argv: readonly string[], io: CommandIo, help: string): number {
  switch (error.code) {
    case 'commander.helpDisplayed':
      return Exit.passed;
    case 'commander.help':
      if (error.exitCode === 0) return Exit.passed;
      if (argv[0] === 'help') return complain(io, `unknown command '${argv.slice(1).join(' ')}'`);
      // Nothing was asked for: no mistake.
      io.stdout.write(help);
      return Exit.passed;
    default:
      return complain(io, error.message);
  }
}

/** One line, whatever the complaint was. */
function complain(io: CommandIo, message: string): number {
  const text = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  io.stderr.write(`quorate: ${text}\n`);
  return Exit.usage;
}
