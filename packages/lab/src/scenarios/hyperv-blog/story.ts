import type { Nanos } from '@quorate/kernel';
import type { Observed } from '../../lab.js';
import type { Phase } from '../../outage-phases.js';

/** What the walk-through says about a step, and what the defaults of RHEL 6 make of it. */
export interface Reference {
  /** `~15 s`, as the walk-through has it. */
  readonly walkThrough: string;
  /** The reckoning behind our figure. */
  readonly arithmetic: string;
}

export interface StoryStep {
  readonly id: string;
  readonly title: string;
  /** Host name of the service's owner; null when it has none. */
  readonly ownerBefore: string | null;
  readonly ownerAfter: string | null;
  /** From the first failed to the first answered request; 0 when none failed. */
  readonly outageSeconds: number;
  readonly requests: { readonly ok: number; readonly failed: number };
  readonly phases: readonly Phase[];
  /** `clustat` on the owner at the end of the step. */
  readonly clustat: string;
  readonly observed: readonly Observed[];
  readonly reference: Reference | undefined;
  readonly startedAt: Nanos;
  readonly endedAt: Nanos;
}

/** What the story found; `ok` only if everything that was expected was observed. */
export interface StoryResult {
  readonly ok: boolean;
  readonly steps: readonly StoryStep[];
  /** Facts that did not hold, with their step. */
  readonly failures: readonly { readonly step: string; readonly observed: Observed }[];
}

export const STEP_IDS = [
  'boot',
  'shared-files',
  'pause-my-vm5',
  'resume-my-vm5',
  'eth0-down-my-vm3',
  'shutdown-my-vm1',
  'poweroff-my-vm2',
  'poweroff-my-vm3-my-vm4',
  'poweron-my-vm1',
  'poweron-rest',
] as const;

export type StepId = (typeof STEP_IDS)[number];

export const STEP_TITLES: Readonly<Record<StepId, string>> = {
  boot: 'all five nodes boot, form a cluster and serve the page',
  'shared-files': 'a file is written on one node, read and appended on others',
  'pause-my-vm5': 'my-vm5 is paused',
  'resume-my-vm5': 'my-vm5 is resumed',
  'eth0-down-my-vm3': 'ifconfig eth0 down on my-vm3',
  'shutdown-my-vm1': 'my-vm1 is shut down',
  'poweroff-my-vm2': 'my-vm2 loses its power',
  'poweroff-my-vm3-my-vm4': 'my-vm3 and my-vm4 lose their power together',
  'poweron-my-vm1': 'my-vm1 is powered on',
  'poweron-rest': 'my-vm2, my-vm3 and my-vm4 are powered on',
};
