#!/usr/bin/env node
import { constants } from 'node:os';
import { runCommand } from './run-command.js';

// Leaving by `exit` restores what a view did to the terminal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
// Whoever read our output has seen enough: `quorate story | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
  throw error;
});

process.exitCode = await runCommand(process.argv.slice(2), process);
