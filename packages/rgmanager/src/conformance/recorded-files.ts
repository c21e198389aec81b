import { readAgentMetadata } from '../conf/agent-metadata.js';
import type { ConfElement } from '../conf/conf-element.js';
import { type InstalledAgent, loadRules, type ResourceRule } from '../tree/resource-rule.js';

/** A directory of recordings. Paths are relative to it. */
export interface RecordedFiles {
  /** Names of the files in a folder; none if there is no such folder. */
  names(folder: string): readonly string[];
  text(path: string): string;
  /** An XML file. */
  element(path: string): ConfElement;
}

/** One input of the original, and what it gave for it. */
export interface RecordedCase {
  /** `tree/test001.start`, `tables/operations.csv:17`. */
  readonly name: string;
  /** Where we do something else, in words; none: it is as recorded. */
  differences(): readonly string[];
}

/** Names of a folder's files with that ending, without it, in order. */
export function caseNames(files: RecordedFiles, folder: string, ending: string): readonly string[] {
  const names = files.names(folder).filter((name) => name.endsWith(ending));
  return names.map((name) => name.slice(0, -ending.length)).sort();
}

/** A row of a table, by the names in its first line. */
export interface Row {
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

export function table(files: RecordedFiles, path: string): readonly Row[] {
  const [head = '', ...rows] = files.text(path).trimEnd().split('\n');
  const names = head.split(',');
  return rows.map((row, i) => ({
    line: i + 2,
    values: Object.fromEntries(row.split(',').map((value, column) => [names[column] ?? '', value])),
  }));
}

/** Three agents have files that are not called after their type. */
const FILES: ReadonlyMap<string, string> = new Map([
  ['SAPInstance', 'SAPInstance'],
  ['SAPDatabase', 'SAPDatabase'],
]);

/** The agents of the recordings, by their metadata. */
export function recordedAgents(files: RecordedFiles): readonly InstalledAgent[] {
  return caseNames(files, 'agents', '.xml').map((name) => ({
    file: `/usr/share/cluster/${FILES.get(name) ?? `${name}.sh`}`,
    metadata: readAgentMetadata(files.element(`agents/${name}.xml`)),
  }));
}

export function recordedRules(files: RecordedFiles): readonly ResourceRule[] {
  return loadRules(recordedAgents(files));
}

/** The first line in which two texts differ. */
export function textDifferences(found: string, expected: string): readonly string[] {
  if (found === expected) return [];
  const [ours, theirs] = [found.split('\n'), expected.split('\n')];
  const at = ours.findIndex((line, i) => line !== theirs[i]);
  const line = at < 0 ? ours.length : at;
  return [`line ${line + 1}: found ${quoted(ours[line])}, expected ${quoted(theirs[line])}`];
}

export function valueDifferences(
  found: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.keys(expected)
    .filter((name) => found[name] !== expected[name])
    .map((name) => `${name}: found ${quoted(found[name])}, expected ${quoted(expected[name])}`);
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'the end' : JSON.stringify(text);
}
