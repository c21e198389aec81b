import type { Nanos } from '@quorate/kernel';

/** How badly the disks serve one initiator. It changes how long commands take, or refuses them. */
export interface Impairment {
  /** Factor on the service time of every command, at least 1. */
  readonly slow: number;
  /** Commands that begin before that instant do not end before it: they are accepted, and nothing more is heard. */
  readonly hungUntil: Nanos;
  /** Further time of every PERSISTENT RESERVE OUT. */
  readonly reserveOut: Nanos;
  /** Every command ends with that status instead of being taken up. */
  readonly answer: 'none' | 'busy' | 'task-set-full';
}

export const UNIMPAIRED: Impairment = { slow: 1, hungUntil: 0, reserveOut: 0, answer: 'none' };

/** @throws {RangeError} for a factor below 1 or a time that is no whole number of ns. */
export function checkImpairment(impairment: Impairment): Impairment {
  const { slow, hungUntil, reserveOut } = impairment;
  if (!(slow >= 1 && slow < Infinity)) throw new RangeError(`impairment.slow: found ${slow}, expected at least 1`);
  for (const [name, value] of Object.entries({ hungUntil, reserveOut })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new RangeError(`impairment.${name}: found ${value}, expected a whole number of ns`);
  }
  return impairment;
}
