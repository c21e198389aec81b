import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConfElement, parseXml } from '@quorate/cluster-conf';
import { parseRecordedCases, type RecordedCase, verdictOn } from '@quorate/dlm/conformance';
import { ConfigError } from '@quorate/kernel';
import { type RecordedFiles, recordedCases as rgmanagerCases } from '@quorate/rgmanager/conformance';
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
  const rgmanager = new Command('rgmanager')
    .description("compare with the original rgmanager: rg_test's output, histories of clusters, tables, clustat")
    .argument('<dir>', 'a directory with agents, tree, delta, trace, tables and clustat, or some of them')
    .action((directory: string) => exit(compareRgmanager(directory, io)));
  return new Command('conformance')
    .description('replay recordings of the real programs')
    .addCommand(dlm)
    .addCommand(rgmanager);
}

/** How many differences are printed. */
const SHOWN = 20;

function compareRgmanager(directory: string, { stdout }: CommandIo): number {
  const cases = rgmanagerCases(filesOf(directory));
  if (cases.length === 0) {
    throw new UsageError(`${directory}: found no recording, expected agents, tree, delta, trace, tables or clustat`);
  }
  const different = cases.flatMap((each) => {
    const [first] = differencesOf(each);
    return first === undefined ? [] : [`${each.name}: ${first}`];
  });
  for (const line of different.slice(0, SHOWN)) stdout.write(`${line}\n`);
  if (different.length > SHOWN) stdout.write(`and ${different.length - SHOWN} more\n`);
  stdout.write(`passed=${cases.length - different.length} failed=${different.length}\n`);
  return different.length === 0 ? Exit.passed : Exit.safety;
}

/** A case that cannot be replayed to its end differs, too. */
function differencesOf(recorded: ReturnType<typeof rgmanagerCases>[number]): readonly string[] {
  try {
    return recorded.differences();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return [error instanceof Error ? error.message : String(error)];
  }
}

function filesOf(directory: string): RecordedFiles {
  attempt(directory, () => readdirSync(directory));
  const text = (path: string): string =>
    attempt(join(directory, path), () => readFileSync(join(directory, path), 'utf8'));
  return {
    names: (folder) => (existsSync(join(directory, folder)) ? readdirSync(join(directory, folder)) : []),
    text,
    element: (path) => wellFormed(text(path), join(directory, path)),
  };
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

function wellFormed(xml: string, path: string): ConfElement {
  try {
    return parseXml(xml, path).root;
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
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
