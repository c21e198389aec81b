import { type Nanos, SECOND } from '@quorate/kernel';
import { HypervBlog, hypervBlogTopology, type StoryResult } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Simulator } from '@quorate/simulator';
import { beforeAll, describe, expect, it } from 'vitest';
import { RunPicture } from '../src/model/run-picture.js';

describe('the picture of the walk-through', () => {
  const topology = hypervBlogTopology(administratorsPrograms);
  const names = topology.machines.map(({ name }) => name);
  const picture = new RunPicture(names, () => {});
  /** What it showed while the time was in a step. */
  const seen = new Map<string, { readonly victims: Set<string>; readonly preempted: Set<string>; lit: number }>();
  let story: StoryResult;
  let endedAt: Nanos;

  beforeAll(() => {
    const simulator = new Simulator({
      scenario: new HypervBlog(topology),
      topology,
      seed: { hi: 0, lo: 1 },
      invariants: [],
      watcher: {
        ...picture,
        fact: (fact) => {
          picture.fact(fact);
          look();
        },
      },
      watchedKinds: picture.kinds,
    });
    const ended = simulator.run();
    story = ended.result as StoryResult;
    endedAt = ended.at;
  }, 180_000);

  function look(): void {
    const step = picture.steps.current?.id ?? '';
    const there = seen.get(step) ?? { victims: new Set(), preempted: new Set(), lit: 0 };
    seen.set(step, there);
    names.forEach((name, i) => {
      if (picture.daemons.isVictim(i + 1)) there.victims.add(name);
    });
    for (const { victim } of picture.disk.preempted) there.preempted.add(names[victim - 1]!);
    const lit = names.filter((_, i) => {
      const { ringState, fenced, dlm, rgmanager, qdisk, heuristic } = picture.daemons.of(i + 1);
      const isWell = fenced === 'on' && dlm === 'on' && rgmanager === 'on' && heuristic === 'on';
      return isWell && ringState === 'operational' && (qdisk === 'run' || qdisk === 'master');
    });
    there.lit = Math.max(there.lit, lit.length);
  }

  it('has every step with its time and what was observed in it', () => {
    expect(picture.steps.steps.map(({ id, startedAt, endedAt }) => ({ id, startedAt, endedAt }))).toEqual(
      story.steps.map(({ id, startedAt, endedAt }) => ({ id, startedAt, endedAt })),
    );
    expect(picture.steps.steps.map(({ observed }) => observed)).toEqual(story.steps.map(({ observed }) => observed));
    expect(picture.steps.current).toBeUndefined();
  });

  it('has the outages and phases that the story has found', () => {
    const told = story.steps.filter(({ outageSeconds, ownerBefore }) => outageSeconds > 0 && ownerBefore !== null);
    const records = picture.outages.ended.last(50).filter(({ to }) => to < endedAt);
    expect(records.map(({ from, to, phases }) => ({ outageSeconds: (to - from) / SECOND, phases }))).toEqual(
      told.map(({ outageSeconds, phases }) => ({ outageSeconds, phases })),
    );
    expect(records.map(({ ownerBefore, ownerAfter }) => [names[ownerBefore - 1], names[ownerAfter - 1]])).toEqual(
      told.map(({ ownerBefore, ownerAfter }) => [ownerBefore, ownerAfter]),
    );
  });

  it.each([
    ['pause-my-vm5', [5], [20, 22]],
    ['eth0-down-my-vm3', [3], [0, 3]],
    ['poweroff-my-vm3-my-vm4', [3, 4], [20, 22]],
  ])('takes the recovery of %s apart, although not each is an outage', (id, victims, [least, most]) => {
    const { startedAt, endedAt } = picture.steps.steps.find((step) => step.id === id)!;
    const recoveries = picture.recoveries.all.filter(({ from }) => from >= startedAt! && from < endedAt!);
    expect(recoveries.map((recovery) => recovery.victims)).toEqual([victims]);
    const { phases } = recoveries[0]!;
    expect(phases[0]!.name).toBe('detection');
    expect(phases[0]!.seconds).toBeGreaterThanOrEqual(least!);
    expect(phases[0]!.seconds).toBeLessThanOrEqual(most!);
    const names = phases.map(({ name }) => name);
    expect(['detection', 'fencing', 'lock recovery', 'journal'].filter((name) => names.includes(name))).toEqual(names);
    expect(phases.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThan(most! + 5);
  });

  it('lights all lamps of five machines when they have booted', () => {
    expect(seen.get('boot')!.lit).toBe(5);
  });

  it.each([
    ['pause-my-vm5', ['my-vm5']],
    ['eth0-down-my-vm3', ['my-vm3']],
    ['poweroff-my-vm2', ['my-vm2']],
    ['poweroff-my-vm3-my-vm4', ['my-vm3', 'my-vm4']],
  ])('shows in %s who is fenced and whose key is taken', (step, victims) => {
    const { victims: fenced, preempted } = seen.get(step)!;
    expect([...fenced].sort()).toEqual(victims);
    for (const victim of victims) expect([...preempted]).toContain(victim);
  });

  it('shows nobody fenced in a shutdown, and leaves nothing lit on machines that are off', () => {
    expect([...seen.get('shutdown-my-vm1')!.victims]).toEqual([]);
    expect(names.map((_, i) => picture.daemons.of(i + 1).ringState)).toEqual(['', '', '', '', '']);
  });

  it('tells in its journal what happened, bounded however long it goes on', () => {
    const events = picture.journal.last('events', 1000).map(({ text }) => text);
    expect(events.length).toBeLessThanOrEqual(400);
    for (const text of [
      'my-vm1 is up',
      'the service is started on my-vm5',
      'my-vm3 reboots itself: its heuristic failed',
    ]) {
      expect(events).toContain(text);
    }
    expect(picture.journal.last('my-vm1', 1000).length).toBeLessThanOrEqual(800);
    expect(picture.journal.last('my-vm1', 1000).every(({ machine }) => machine === 'my-vm1')).toBe(true);
  });
});
