#!/usr/bin/env node
import { constants } from 'node:os';
import { runCommand } from './run-command.js';

let endGently: (() => void) | undefined;
// Leaving by `exit` restores what a view did to the terminal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (endGently === undefined) process.exit(128 + constants.signals[signal]);
    endGently();
    endGently = undefined;
  });
}
// Whoever read our output has seen enough: `quorate story | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
  throw error;
});

const { stdin, stdout, stderr, env } = process;
const untilSignal = (): Promise<void> =>
  new Promise((resolve) => {
    endGently = resolve;
  });
process.exitCode = await runCommand(process.argv.slice(2), { stdin, stdout, stderr, env, untilSignal });
