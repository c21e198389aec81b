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
interface FamilyPlan<Name> {
  readonly family: Name;
  readonly period: Nanos;
}

export interface NemesisPlan<Name> {
  readonly families: readonly FamilyPlan<Name>[];
  /** Only one of the families attacks at a time: each period belongs to one of them. */
  readonly isOneAtATime: boolean;
}

const JEPSEN: readonly FamilyName[] = ['part.sym', 'proc.crash', 'proc.pause', 'clock.step'];
const GRAY: readonly FamilyName[] = ['part.asym', 'net.loss', 'disk.slow', 'disk.hang', 'proc.pause'];

/** In seconds; the first is the mildest. */
const PERIODS = [40, 30, 20, 15, 10, 7, 5];

/** Draws what a preset leaves open, from the stream `swarm`. */
export function nemesisPlan(preset: NemesisPreset, choices: Choices): NemesisPlan<FamilyName> {
  switch (preset) {
    case 'calm':
      return { families: [], isOneAtATime: false };
    case 'jepsen':
      return { families: JEPSEN.map((family) => ({ family, period: 10 * SECOND })), isOneAtATime: true };
    case 'gray':
      return { families: GRAY.map((family) => planOf(family, choices)), isOneAtATime: false };
    case 'swarm':
      return swarmPlan(FAMILY_NAMES, choices);
  }
}

/** Another half of these families in each run; in one run of sixteen none, and in one a single one. */
export function swarmPlan<Name extends string>(names: readonly Name[], choices: Choices): NemesisPlan<Name> {
  // Asked for each family whatever comes of it, so that leaving one out moves no other.
  const on = names.filter((family) => choices.choose(family, 2) === 1);
  const single = names[choices.choose('single', names.length)]!;
  const how = choices.choose('how', 16);
  const periods = names.map((family) => planOf(family, choices));
  if (how === 14) return { families: [], isOneAtATime: false };
  const families = how === 15 ? [single] : on;
  return { families: periods.filter(({ family }) => families.includes(family)), isOneAtATime: false };
}

function planOf<Name extends string>(family: Name, choices: Choices): FamilyPlan<Name> {
  return { family, period: PERIODS[choices.choose(`${family} period`, PERIODS.length)]! * SECOND };
}
