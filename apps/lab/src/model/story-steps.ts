import type { Nanos } from '@quorate/kernel';
import { type Observed, type Progress, STEP_IDS, STEP_TITLES } from '@quorate/lab';

/** A step of the walk-through as it stands. */
export interface StepRecord {
  readonly id: string;
  readonly title: string;
  /** From 1. */
  readonly number: number;
  /** Undefined before it begins. */
  readonly startedAt: Nanos | undefined;
  readonly endedAt: Nanos | undefined;
  readonly observed: readonly Observed[];
}

/** The ten steps of the walk-through, from the first moment on. */
export class StorySteps {
  steps: readonly StepRecord[] = STEP_IDS.map((id, i) => ({
    id,
    title: STEP_TITLES[id],
    number: i + 1,
    startedAt: undefined,
    endedAt: undefined,
    observed: [],
  }));

  progress(at: Nanos, progress: Progress): void {
    switch (progress.kind) {
      case 'step-began':
        this.#change(progress.id, () => ({ startedAt: at }));
        break;
      case 'observed':
        this.#change(progress.step, ({ observed }) => ({ observed: [...observed, progress.observed] }));
        break;
      case 'step-ended':
        this.#change(progress.id, () => ({ endedAt: at }));
        break;
    }
  }

  /** The one that runs; undefined before the first and after the last. */
  get current(): StepRecord | undefined {
    return this.steps.find(({ startedAt, endedAt }) => startedAt !== undefined && endedAt === undefined);
  }

  #change(id: string, change: (step: StepRecord) => Partial<StepRecord>): void {
    this.steps = this.steps.map((step) => (step.id === id ? { ...step, ...change(step) } : step));
  }
}
