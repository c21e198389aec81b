import { MILLISECOND, parseSeed, SECOND, type Stamped } from '@quorate/kernel';
import { hypervBlogTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

// Seed 3 once had my-vm1 and my-vm3 evicted while clvmd opened its ports: see cman-event.txt of @quorate/qdisk.
it('five nodes whose frames take 5 to 65 ms boot together, and none is taken for dead', () => {
  const evicted: Stamped[] = [];
  const scenario: Scenario<readonly string[]> = {
    name: 'slow-links',
    title: 'a boot over slow links',
    kinds: ['qdisk.node-down'],
    *script(lab) {
      const parameters = {
        baseLatency: 5 * MILLISECOND,
        extraLatency: 20 * MILLISECOND,
        latencyCap: 60 * MILLISECOND,
      };
      lab.fault({ kind: 'links', parameters });
      lab.powerOn(...lab.machines);
      yield* lab.wait(90 * SECOND);
      return ((yield* lab.exec('my-vm1', 'cman_tool status'))?.output ?? '').match(/^(Nodes|Total votes): .*/gm) ?? [];
    },
    onFact: (fact) => evicted.push(fact),
  };
  const topology = hypervBlogTopology(administratorsPrograms);
  const run = new Simulator({ scenario, topology, seed: parseSeed('3')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations, evicted]).toEqual([undefined, [], []]);
  expect(run.result).toEqual(['Nodes: 5', 'Total votes: 9']);
});
