import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EventScript } from '@quorate/rgmanager';
import { UsageError } from './usage-error.js';

const EXPECTED = 'FILE=MODULE, a file that <events> names and a module whose default export is its event script';

/** Imports event scripts for central processing. `options`: `/usr/share/cluster/mine=./mine.js`. */
export async function importEventScripts(options: readonly string[]): Promise<ReadonlyMap<string, EventScript>> {
  const scripts = new Map<string, EventScript>();
  for (const option of options) {
    const [, file, path] = /^([^=]+)=(.+)$/.exec(option) ?? [];
    if (file === undefined || path === undefined) throw new UsageError(`found "${option}", expected ${EXPECTED}`);
    scripts.set(file, await importEventScript(path));
  }
  return scripts;
}

async function importEventScript(path: string): Promise<EventScript> {
  const found = await importModule(path);
  if (typeof found.default !== 'function') {
    const exported = Object.keys(found).join(', ') || 'nothing';
    throw new UsageError(`${path} exports ${exported}, expected a function as its default export`);
  }
  return found.default as EventScript;
}

async function importModule(path: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(/* @vite-ignore */ pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw new UsageError(`cannot import ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
