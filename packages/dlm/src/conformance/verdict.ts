import type { RecordedCase } from './recorded-case.js';
import { differencesOf } from './replay.js';

/**
 * How a case compares: `as-recorded`; `strictly`: as recorded with `strictReference`, since by default we choose otherwise
 * there (see the README); `different`.
 */
export interface Verdict {
  readonly kind: 'as-recorded' | 'strictly' | 'different';
  /** Where it differs: by default for `strictly`, with `strictReference` for `different`. */
  readonly differences: readonly string[];
}

/** Replays a case by default, and once more as Linux does it if that differs. */
export function verdictOn(recorded: RecordedCase): Verdict {
  const differences = differencesOf(recorded, false);
  if (differences.length === 0) return { kind: 'as-recorded', differences };
  const strictly = differencesOf(recorded, true);
  return strictly.length === 0 ? { kind: 'strictly', differences } : { kind: 'different', differences: strictly };
}
