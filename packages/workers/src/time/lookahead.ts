import { MILLISECOND, type Nanos } from '@quorate/kernel';

/** How late a timer of the platform may be, on the wall. */
const TIMER_MS = 1;

/** Cluster time by which machines may run ahead of the clock: a timer's lateness at that speed. */
export function lookaheadOf(speed: number): Nanos {
  return Math.round(TIMER_MS * MILLISECOND * speed);
}
