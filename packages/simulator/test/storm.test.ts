import { type Nanos, parseSeed, SECOND, SeededWorld } from '@quorate/kernel';
import { hypervBlogTopology, type NemesisPreset, Storm, type StormResult, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { describe, expect, it } from 'vitest';
import { LoggedWorld, ReplayedWorld, type RunResult, Simulator, type SimulatorConfig } from '../src/index.js';

const topology = hypervBlogTopology(administratorsPrograms);

function prepared(seed: string, nemesis: NemesisPreset, chaos: Nanos, changes: Partial<SimulatorConfig> = {}) {
  return new Simulator({
    scenario: new Storm({ topology, nemesis, chaos }),
    topology,
    seed: parseSeed(seed)!,
    invariants: stackInvariants,
    ...changes,
  });
}

/** Half a minute in which things break. */
function storm(seed: string, changes: Partial<SimulatorConfig> = {}): RunResult {
  return prepared(seed, 'swarm', 30 * SECOND, changes).run();
}

const endOf = ({ reason, hash, events, at }: RunResult): unknown => ({ reason, hash, events, at });

describe('a storm', () => {
  const seeds = ['2', '4'];
  const first = new Map(seeds.map((seed) => [seed, endOf(storm(seed))]));

  it('that is calm leaves the cluster well', () => {
    const { result, violations } = prepared('2', 'calm', 60 * SECOND).run();
    const { ok, failures, families } = result as StormResult;
    expect([ok, failures, families, violations]).toEqual([true, [], [], []]);
  });

  it('is the same run the second time, in the reverse order of seeds', () => {
    const again = new Map([...seeds].reverse().map((seed) => [seed, endOf(storm(seed))]));
    for (const seed of seeds) expect(again.get(seed)).toEqual(first.get(seed));
  });

  it('is the same run in slices', () => {
    const simulator = prepared('2', 'swarm', 30 * SECOND);
    let run = simulator.run(0);
    for (let at = 0; run.reason === 'time'; at += 0.37 * SECOND) run = simulator.run(at);
    expect(endOf(run)).toEqual(first.get('2'));
  });

  it('is the same run without checkers', () => {
    expect(endOf(storm('4', { invariants: [] }))).toEqual(first.get('4'));
  });

  it('runs again from its decisions, event by event', () => {
    const world = new LoggedWorld(new SeededWorld(parseSeed('2')!));
    expect(endOf(storm('2', { world }))).toEqual(first.get('2'));
    const replayed = new ReplayedWorld(world.log(), 'strict');
    expect(endOf(storm('2', { world: replayed }))).toEqual(first.get('2'));
    expect(replayed.misfits()).toEqual({ answered: 0, unasked: 0 });
  });
});
