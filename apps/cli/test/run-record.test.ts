import { expect, it } from 'vitest';
import { recordOf } from '../src/run-record.js';
import { storyRun } from './story-run.js';

it('the record has these fields', () => {
  const run = storyRun();
  const { id, ownerBefore, ownerAfter, outageSeconds, requests, phases, clustat } = run.story!.steps[1]!;
  const record = recordOf('hyperv-blog', run);
  expect(record).toEqual({
    scenario: 'hyperv-blog',
    driver: 'simulator',
    images: { 0: '0123456789abcdef' },
    seed: '0000000000000007',
    ok: true,
    virtualSeconds: 451.5,
    cpuSeconds: 1.25,
    events: 123_456,
    traceHash: '0123456789abcdef',
    steps: [
      expect.objectContaining({ id: 'boot', ownerBefore: null, phases: [] }),
      { id, ownerBefore, ownerAfter, outageSeconds, requests, phases, clustat },
    ],
    failures: [],
    invariants: { checked: ['S1', 'S2'], idle: ['S2'], violations: [] },
  });
  expect(JSON.parse(JSON.stringify(record))).toEqual(record);
});

it('a run in worker threads has no trace hash', () => {
  expect(recordOf('hyperv-blog', storyRun({ driver: 'workers', traceHash: null })).traceHash).toBeNull();
});

it('a run that did not come to its end says what kept it, and has no steps', () => {
  const trouble = 'the run stopped at 12.000 s: worker my-vm3 hung';
  const record = recordOf('hyperv-blog', storyRun({ verdict: 'exception', story: undefined, trouble }));
  expect(record).toMatchObject({ ok: false, steps: [], failures: [], trouble });
});
