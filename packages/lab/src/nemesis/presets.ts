import { type Choices, type Nanos, SECOND } from '@quorate/kernel';
import { FAMILY_NAMES, type FamilyName } from './families/index.js';

/**
 * What a nemesis does. `calm`: nothing. `jepsen`: every ten seconds one of partition, kill, pause and clock. `swarm`: in each
 * run another half of all families, in one run of sixteen none and in one a single one. `gray`: nobody is dead, but links
 * lose one way, disks are slow and machines stand still for about as long as the timeouts.
 */
export const NEMESIS_PRESETS = ['calm', 'jepsen', 'swarm', 'gray'] as const;

export type NemesisPreset = (typeof NEMESIS_PRESETS)[number];

/** One family in a run: it may attack at the end of every period. */
interface FamilyPlan {
  readonly family: FamilyName;
  readonly period: Nanos;
}

export interface NemesisPlan {
  readonly families: readonly FamilyPlan[];
  /** Only one of the families attacks at a time: each period belongs to one of them. */
  readonly isOneAtATime: boolean;
}

const JEPSEN: readonly FamilyName[] = ['part.sym', 'proc.crash', 'proc.pause', 'clock.step'];
const GRAY: readonly FamilyName[] = ['part.asym', 'net.loss', 'disk.slow', 'disk.hang', 'proc.pause'];

/** In seconds; the first is the mildest. */
const PERIODS = [40, 30, 20, 15, 10, 7, 5];

/** Draws what a preset leaves open, from the stream `swarm`. */
export function nemesisPlan(preset: NemesisPreset, choices: Choices): NemesisPlan {
  switch (preset) {
    case 'calm':
      return { families: [], isOneAtATime: false };
    case 'jepsen':
      return { families: JEPSEN.map((family) => ({ family, period: 10 * SECOND })), isOneAtATime: true };
    case 'gray':
      return { families: GRAY.map((family) => planOf(family, choices)), isOneAtATime: false };
    case 'swarm':
      return { families: swarm(choices), isOneAtATime: false };
  }
}

function swarm(choices: Choices): readonly FamilyPlan[] {
  // Asked for each family whatever comes of it, so that leaving one out moves no other.
  const on = FAMILY_NAMES.filter((family) => choices.choose(family, 2) === 1);
  const single = FAMILY_NAMES[choices.choose('single', FAMILY_NAMES.length)]!;
  const how = choices.choose('how', 16);
  const periods = FAMILY_NAMES.map((family) => planOf(family, choices));
  if (how === 14) return [];
  const families = how === 15 ? [single] : on;
  return periods.filter(({ family }) => families.includes(family));
}

function planOf(family: FamilyName, choices: Choices): FamilyPlan {
  return { family, period: PERIODS[choices.choose(`${family} period`, PERIODS.length)]! * SECOND };
}
