import { randomInt } from 'node:crypto';
import { type Choices, TAME_WORLD, type World } from '@quorate/kernel';

const RANDOM: Choices = {
  choose: (_kind, n) => randomInt(n),
  happens: (_kind, threshold) => randomInt(0x1_0000_0000) < threshold,
  exponential: () => 0,
};

/** The world of a real server: challenges and session handles nobody can guess, and disks that do nothing odd. */
export const RANDOM_WORLD: World = {
  choices: (stream) => (stream.startsWith('iscsi/') ? RANDOM : TAME_WORLD.choices(stream)),
};
