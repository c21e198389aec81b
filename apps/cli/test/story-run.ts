import type { StoryResult, StoryStep } from '@quorate/lab';
import type { StoryRun } from '../src/run-record.js';

const CLUSTAT = 'Cluster Status for my-cluster @ Thu Oct 29 21:36:36 2015\nMember Status: Quorate\n';

function step(id: string, more: Partial<StoryStep> = {}): StoryStep {
  return {
    id,
    title: `${id} happens`,
    ownerBefore: 'my-vm2',
    ownerAfter: 'my-vm2',
    outageSeconds: 0,
    requests: { ok: 30, failed: 0 },
    phases: [],
    clustat: CLUSTAT,
    observed: [],
    reference: undefined,
    startedAt: 0,
    endedAt: 1,
    ...more,
  };
}

/** Two steps, one with everything that a step can have. */
const STORY: StoryResult = {
  ok: true,
  steps: [
    step('boot', { ownerBefore: null, ownerAfter: 'my-vm1' }),
    step('poweroff-my-vm3-my-vm4', {
      ownerBefore: 'my-vm3',
      ownerAfter: 'my-vm5',
      outageSeconds: 26.42,
      requests: { ok: 12, failed: 26 },
      phases: [
        { name: 'detection', seconds: 21.14 },
        { name: 'fencing', seconds: 0.31 },
        { name: 'lock recovery', seconds: 0.9 },
        { name: 'start', seconds: 4.07 },
      ],
      reference: {
        walkThrough: 'a transient black-out',
        arithmetic: 'ring 20.1..22 s + fence_scsi < 1 s + dlm poll 0..1 s + ip start 3 s + httpd < 1 s = 23.5..29 s',
      },
    }),
  ],
  failures: [],
};

/** A run of the story that passed, but for what `more` says. */
export function storyRun(more: Partial<StoryRun> = {}): StoryRun {
  return {
    driver: 'simulator',
    seed: '0000000000000007',
    images: new Map([[0, '0123456789abcdef']]),
    verdict: 'passed',
    story: STORY,
    virtualSeconds: 451.5,
    cpuSeconds: 1.25,
    events: 123_456,
    traceHash: '0123456789abcdef',
    checked: ['S1', 'S2'],
    idle: ['S2'],
    violations: [],
    trouble: undefined,
    lostSlices: 0,
    ...more,
  };
}
