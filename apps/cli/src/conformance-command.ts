import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRecordedCases, type RecordedCase, verdictOn } from '@quorate/dlm/conformance';
import { ConfigError } from '@quorate/kernel';
import { Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { UsageError } from './usage-error.js';
import { Exit } from './verdict.js';

interface DlmOptions {
  readonly verbose?: boolean;
}

/** `quorate conformance`: recordings of the real programs, replayed. Its action's exit code goes to `exit`. */
export function conformanceCommand(io: CommandIo, exit: (code: number) => void): Command {
  const dlm = new Command('dlm')
    .description('replay cases that were recorded on a Linux DLM, and compare what the owner of each lock saw')
    .argument('<dir>', 'a directory of .jsonl files, one case a line')
    .option('--verbose', 'name the cases that are as recorded only with strictReference')
    .action((directory: string, options: DlmOptions) => exit(compareDlm(directory, options, io)));
  return new Command('conformance').description('replay recordings of the real programs').addCommand(dlm);
}

function compareDlm(directory: string, { verbose = false }: DlmOptions, { stdout }: CommandIo): number {
  let passed = 0;
  let failed = 0;
  for (const recorded of recordedCases(directory)) {
    const { kind, differences } = verdictOn(recorded);
    if (kind === 'different') failed += 1;
    else passed += 1;
    if (kind === 'different') stdout.write(`${recorded.name}: differs in ${differences.join('\n')}\n`);
    else if (kind === 'strictly' && verbose) stdout.write(`${recorded.name}: as recorded with strictReference\n`);
  }
  stdout.write(`passed=${passed} failed=${failed}\n`);
  return failed === 0 ? Exit.passed : Exit.safety;
}

/** All of them are read before the first is replayed: what is no case is told at once. */
function recordedCases(directory: string): readonly RecordedCase[] {
  const files = attempt(directory, () => readdirSync(directory)).filter((file) => file.endsWith('.jsonl'));
  if (files.length === 0) throw new UsageError(`${directory}: found no .jsonl file, expected recorded cases`);
  return files.sort().flatMap((file) => {
    const path = join(directory, file);
    const text = attempt(path, () => readFileSync(path, 'utf8'));
    try {
      return parseRecordedCases(text);
    } catch (error) {
      if (error instanceof ConfigError) throw new UsageError(`${path}: ${error.message}`);
      throw error;
    }
  });
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
