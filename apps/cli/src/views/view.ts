import type { Nanos, Stamped } from '@quorate/kernel';
import type { Progress } from '@quorate/lab';

/** Shows a run while it goes on. */
export interface View {
  /** Kinds of facts that it wants to hear. */
  readonly kinds: readonly string[];
  progress(at: Nanos, progress: Progress): void;
  fact(fact: Stamped): void;
  /** Lost slices of the elastic clock so far. */
  lost(slices: number): void;
  end(): void;
}
