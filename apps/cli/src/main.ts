import { Command, CommanderError } from 'commander';
import { simCommand } from './sim-command.js';
import { storyCommand } from './story-command.js';
import { Exit, UsageError } from './usage-error.js';

/** One line on stderr, whatever the complaint was. */
function complain(message: string): void {
  process.stderr.write(
    `quorate: ${message
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
      .trim()}\n`,
  );
}

const program = new Command('quorate')
  .description('The Red Hat Cluster Suite stack, rebuilt: a cluster you can hold in one hand.')
  .helpCommand(true)
  .addCommand(storyCommand())
  .addCommand(simCommand());

/** Makes commander throw instead of leaving, in every command, and print nothing of its own on a mistake. */
function tame(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {} });
  command.showHelpAfterError(false);
  for (const each of command.commands) tame(each);
}

tame(program);
try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    const wasHelp = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    if (error.code === 'commander.help') process.stderr.write(`${program.helpInformation()}`);
    else if (!wasHelp) complain(error.message);
    process.exitCode = wasHelp ? Exit.passed : Exit.usage;
  } else if (error instanceof UsageError) {
    complain(error.message);
    process.exitCode = Exit.usage;
  } else throw error;
}
