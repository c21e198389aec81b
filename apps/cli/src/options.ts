import { readFileSync } from 'node:fs';
import { parseClusterConf } from '@quorate/cluster-conf';
import { ConfigError, parseSeed, type Seed, utf8Text } from '@quorate/kernel';
import { NEMESIS_PRESETS, type NemesisPreset } from '@quorate/lab';
import { type Command, Option } from 'commander';
import { UsageError } from './usage-error.js';

/** What `driverOptions` adds. */
export interface DriverOptions {
  readonly driver: 'workers' | 'simulator';
  readonly seed: string;
  readonly speed: string;
}

/** Adds the options of a command that runs on either driver. */
export function driverOptions(command: Command, usual: DriverOptions['driver']): Command {
  return command
    .addOption(
      new Option('--driver <driver>', 'worker threads in real time, or the simulator')
        .choices(['workers', 'simulator'])
        .default(usual),
    )
    .option('--seed <n>', 'what the world does: a number, or 0x and up to 16 hex digits', '1')
    .option('--speed <x>', 'workers: cluster seconds per second, at most', '10');
}

/** A seed from the command line. */
export function seedOf(text: string): Seed {
  const seed = parseSeed(text);
  if (seed === undefined) {
    throw new UsageError(`--seed: found "${text}", expected a number below 2^64 or 0x and up to 16 hex digits`);
  }
  return seed;
}

/** At most so many seeds in one campaign. */
const MOST_SEEDS = 1_000_000n;

/** `1..1000`: both are run. */
export function seedsOf(text: string): readonly bigint[] {
  const [, from, to] = /^([0-9]{1,19})\.\.([0-9]{1,19})$/.exec(text) ?? [];
  if (from === undefined || to === undefined || BigInt(to) < BigInt(from) || BigInt(to) - BigInt(from) >= MOST_SEEDS) {
    throw new UsageError(
      `--seeds: found "${text}", expected two numbers A..B with A <= B and at most ${MOST_SEEDS} seeds`,
    );
  }
  const seeds: bigint[] = [];
  for (let seed = BigInt(from); seed <= BigInt(to); seed++) seeds.push(seed);
  return seeds;
}

export function seedOfNumber(seed: bigint): Seed {
  return { hi: Number(seed >> 32n), lo: Number(seed & 0xffff_ffffn) };
}

export function nemesisOf(text: string): NemesisPreset {
  const preset = NEMESIS_PRESETS.find((name) => name === text);
  if (preset === undefined) {
    throw new UsageError(`--nemesis: found "${text}", expected one of ${NEMESIS_PRESETS.join(', ')}`);
  }
  return preset;
}

export function wholeNumberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${option}: found "${text}", expected a whole number from ${least} to ${most}`);
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
    parseClusterConf(text, path);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
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
