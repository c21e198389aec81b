import type { Choices, Nanos, Task } from '@quorate/kernel';
import type { Arena } from './arena.js';

/** One attack as it is going on. */
export interface Attack {
  readonly arena: Arena;
  /** Of this attack alone. */
  readonly choices: Choices;
  /** The longest that it may take: the family's next one comes then. */
  readonly period: Nanos;
  /** Says what it does, once. */
  tell(text: string): void;
}

/** A family of faults: how one attack of it goes, from breaking something to making it whole. */
export type Family = (attack: Attack) => Task;
