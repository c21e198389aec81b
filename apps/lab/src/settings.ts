import { parseSeed, type Seed } from '@quorate/kernel';
import type { RunMode } from './model/open-ended.js';

/** Cluster seconds per second that the slider offers. */
export const SPEEDS: readonly number[] = [0.5, 1, 2, 5, 10, 20];

/** What the page starts with. */
export interface Settings {
  readonly seed: Seed;
  readonly seedText: string;
  readonly speed: number;
  /** What runs as soon as the page is there; undefined: nothing. */
  readonly start: RunMode | undefined;
}

const DEFAULT_SEED = '1';
const DEFAULT_SPEED = 5;

/** Settings in the page's address: `?start=story&speed=10&seed=7`. What makes no sense there is as if it were absent. */
export function settingsOf(query: string): Settings {
  const parameters = new URLSearchParams(query);
  const asked = parameters.get('seed') ?? DEFAULT_SEED;
  const seedText = parseSeed(asked) === undefined ? DEFAULT_SEED : asked;
  const speed = Number(parameters.get('speed'));
  const start = parameters.get('start');
  return {
    seed: parseSeed(seedText)!,
    seedText,
    speed: SPEEDS.includes(speed) ? speed : DEFAULT_SPEED,
    start: start === 'story' || start === 'free' ? start : undefined,
  };
}
