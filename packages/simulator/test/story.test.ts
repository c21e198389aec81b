import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSeed } from '@quorate/kernel';
import {
  HypervBlog,
  hypervBlogTopology,
  IsolatedNode,
  type IsolatedNodeResult,
  STEP_IDS,
  type StoryResult,
  stackInvariants,
  VOLUME,
} from '@quorate/lab';
import type { BlockStore } from '@quorate/scsi';
import { administratorsPrograms } from '@quorate/shell';
import { beforeAll, describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { type RunResult, Simulator } from '../src/index.js';

/** Invariants that every run of the story has to check. */
const RULES =
  'S1 S2 S3 S4 S6 S7 S8 S9 S10 S11 S12 S13 S14 S15 S16 S18 S19 S20 S21 S22 S23 S24 S25 S27a S27b S28 S29 S30 S32 S33 S34 S35'.split(
    ' ',
  );

const FSCK = 'fsck.gfs2';

/** What the walk-through and the defaults of RHEL 6 say of the outages, in seconds. */
const OUTAGES: Readonly<Record<string, readonly [from: number, to: number]>> = {
  'shared-files': [0, 0],
  'pause-my-vm5': [0, 0],
  'resume-my-vm5': [0, 0],
  'eth0-down-my-vm3': [0, 0],
  'shutdown-my-vm1': [14, 16],
  'poweroff-my-vm2': [23.5, 29],
  'poweroff-my-vm3-my-vm4': [23.5, 29],
  'poweron-my-vm1': [14, 16],
  'poweron-rest': [0, 0],
};

const OWNERS = [
  [null, 1],
  [1, 1],
  [1, 1],
  [1, 1],
  [1, 1],
  [1, 2],
  [2, 3],
  [3, 5],
  [5, 1],
  [1, 1],
];

const topology = hypervBlogTopology(administratorsPrograms);

function tell(seed: string): { readonly run: RunResult; readonly stores: ReadonlyMap<number, BlockStore> } {
  const scenario = new HypervBlog(topology);
  const simulator = new Simulator({
    scenario,
    topology,
    seed: parseSeed(seed)!,
    invariants: stackInvariants,
  });
  const run = simulator.run();
  for (const rule of RULES) expect(simulator.checker.ids).toContain(rule);
  return { run, stores: simulator.stores };
}

/** Runs fsck.gfs2 over the volume; undefined when the program is not here. */
function fsck(
  stores: ReadonlyMap<number, BlockStore>,
): { readonly status: number; readonly output: string } | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-story-'));
  try {
    const path = join(directory, 'vol.img');
    const file = openSync(path, 'w');
    ftruncateSync(file, VOLUME.blocks * 512);
    const start = VOLUME.start * 512;
    for (const { offset, bytes } of stores.get(VOLUME.lun)!.pages!()) {
      if (offset >= start && offset < start + VOLUME.blocks * 512)
        writeSync(file, bytes, 0, bytes.length, offset - start);
    }
    closeSync(file);
    return { status: 0, output: execFileSync(FSCK, ['-n', path], { encoding: 'utf8', stdio: 'pipe' }) };
  } catch (error) {
    const { code, status, stdout } = error as { code?: string; status?: number; stdout?: string };
    if (code === 'ENOENT') return undefined;
    return { status: status ?? 255, output: stdout ?? String(error) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the walk-through', () => {
  let run: RunResult;
  let stores: ReadonlyMap<number, BlockStore>;
  let story: StoryResult;
  beforeAll(() => {
    ({ run, stores } = tell('7'));
    story = run.result as StoryResult;
  });

  it('ends, with every fact observed and no invariant violated', () => {
    expect([run.exception, run.violations, story.failures, run.reason]).toEqual([undefined, [], [], 'ended']);
    expect(story.ok).toBe(true);
  });

  it('has the steps of the walk-through, and the owners that it names', () => {
    const name = (id: number | null | undefined) => (id ? `my-vm${id}` : null);
    expect(story.steps.map(({ id, ownerBefore, ownerAfter }) => [id, ownerBefore, ownerAfter])).toEqual(
      STEP_IDS.map((id, i) => [id, name(OWNERS[i]![0]), name(OWNERS[i]![1])]),
    );
  });

  it.each(Object.entries(OUTAGES))('%s: the page was away for %j s', (id, [from, to]) => {
    const step = story.steps.find((each) => each.id === id)!;
    expect(step.outageSeconds).toBeGreaterThanOrEqual(from);
    expect(step.outageSeconds).toBeLessThanOrEqual(to);
    const sum = step.phases.reduce((total, { seconds }) => total + seconds, 0);
    expect(Math.abs(sum - step.outageSeconds)).toBeLessThan(1e-6);
  });

  it('leaves a file system that fsck.gfs2 finds clean', ({ skip }) => {
    const checked = fsck(stores);
    if (checked === undefined) {
      if (process.env.QUORATE_REQUIRE_ORACLES === '1') throw new Error('fsck.gfs2 is not installed');
      return skip('fsck.gfs2 is not installed');
    }
    expect(checked.output).toContain('fsck.gfs2 complete');
    expect(checked.status).toBe(0);
  });

  it('is the same run again, whoever watches', () => {
    const again = tell('7').run;
    expect([again.hash, again.events, again.at]).toEqual([run.hash, run.events, run.at]);
  });
});

it.each(isThorough ? ['20151029', '0xfedcba9876543210'] : ['0xfedcba9876543210'])(
  'the walk-through holds in another world: seed %s',
  (seed) => {
    const { run } = tell(seed);
    expect([run.exception, run.violations, (run.result as StoryResult).failures]).toEqual([undefined, [], []]);
  },
);

it.each(isThorough ? ['7', '8'] : ['8'])('an isolated node fences the majority, and a reset helps: seed %s', (seed) => {
  const simulator = new Simulator({
    scenario: new IsolatedNode(),
    topology,
    seed: parseSeed(seed)!,
    invariants: stackInvariants,
  });
  const run = simulator.run();
  expect([run.exception, run.violations, (run.result as IsolatedNodeResult).failures]).toEqual([undefined, [], []]);
});
