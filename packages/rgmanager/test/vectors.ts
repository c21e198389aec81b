import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ConfElement,
  type InstalledAgent,
  loadRules,
  type ResourceRule,
  readAgentMetadata,
} from '../src/index.js';
import { parseXml } from './xml.js';

const own = fileURLToPath(new URL('./data/vectors', import.meta.url));

/**
 * The conformance vectors. Those in `data/vectors` were made for this project; with QUORATE_VECTORS naming a directory
 * that holds the whole set, cases that are other projects' test data run as well.
 */
const directory = process.env.QUORATE_VECTORS === undefined ? own : join(process.env.QUORATE_VECTORS, 'rgmanager');

export const hasWholeSet: boolean = directory !== own;

export function vector(path: string): string {
  return readFileSync(join(directory, path), 'utf8');
}

/** Names of the files in a directory with that ending, without it. */
export function vectorNames(under: string, ending: string): readonly string[] {
  const files = readdirSync(join(directory, under)).sort();
  return files.filter((name) => name.endsWith(ending)).map((name) => basename(name, ending));
}

export function confVector(path: string): ConfElement {
  return parseXml(vector(path));
}

/** Rows of a table, by the names in its first line. */
export function table(path: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...rows] = vector(path).trimEnd().split('\n');
  const names = head.split(',');
  return rows.map((row) => Object.fromEntries(row.split(',').map((value, i) => [names[i]!, value])));
}

/** Three agents have files that are not called after their type. */
const FILES: ReadonlyMap<string, string> = new Map([
  ['SAPInstance', 'SAPInstance'],
  ['SAPDatabase', 'SAPDatabase'],
]);

/** All 27 agents of the original. */
export function allAgents(): readonly InstalledAgent[] {
  return vectorNames('agents', '.xml').map((name) => ({
    file: `/usr/share/cluster/${FILES.get(name) ?? `${name}.sh`}`,
    metadata: readAgentMetadata(confVector(`agents/${name}.xml`)),
  }));
}

export function allRules(): readonly ResourceRule[] {
  return loadRules(allAgents());
}
