import { parseSeed, SeededWorld, type World } from '@quorate/kernel';
import { hypervBlogTopology, type NemesisPreset, Storm, type StormResult, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { describe, expect, it } from 'vitest';
import { LoggedWorld, ReplayedWorld, Simulator } from '../src/index.js';

const topology = hypervBlogTopology(administratorsPrograms);

function storm(seed: string, nemesis: NemesisPreset, world?: World) {
  return new Simulator({
    scenario: new Storm({ topology, nemesis }),
    topology,
    seed: parseSeed(seed)!,
    invariants: stackInvariants,
    ...(world && { world }),
  }).run();
}

describe('a storm', () => {
  it('that is calm leaves the cluster well', () => {
    const { result, violations } = storm('2', 'calm');
    const { ok, failures, families } = result as StormResult;
    expect([ok, failures, families, violations]).toEqual([true, [], [], []]);
  });

  it('runs again from its decisions, event by event', () => {
    const world = new LoggedWorld(new SeededWorld(parseSeed('2')!));
    const first = storm('2', 'swarm', world);
    const again = storm('2', 'swarm', new ReplayedWorld(world.log(), 'strict'));
    expect([again.reason, again.hash, again.events]).toEqual([first.reason, first.hash, first.events]);
  });
});
