import { readFileSync } from 'node:fs';
import { parseClusterConf } from '@quorate/cluster-conf';
import { ConfigError, parseSeed, type Seed, utf8Text } from '@quorate/kernel';
import { UsageError } from './usage-error.js';

/** A seed from the command line. */
export function seedOf(text: string): Seed {
  const seed = parseSeed(text);
  if (seed === undefined) {
    throw new UsageError(`--seed: found "${text}", expected a number below 2^64 or 0x and up to 16 hex digits`);
  }
  return seed;
}

/** 16 hex digits. */
export function seedText({ hi, lo }: Seed): string {
  return hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0');
}

export function speedOf(text: string): number {
  const speed = Number(text);
  if (!(speed > 0 && speed <= 1000)) {
    throw new UsageError(`--speed: found "${text}", expected a number above 0 and at most 1000`);
  }
  return speed;
}

/** The text of a cluster.conf that a node would start with. */
export function clusterConfOf(path: string): string {
  const text = readText(path);
  try {
    parseClusterConf(text);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
  return text;
}

function readText(path: string): string {
  return utf8Text(readBytes(path));
}

/** A whole file. */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
