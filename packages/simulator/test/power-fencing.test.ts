import { parseSeed, SECOND, type Stamped } from '@quorate/kernel';
import { plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { expect, it } from 'vitest';
import { powerFencedConf } from '../../../tooling/power-fenced-conf.js';
import { Simulator } from '../src/index.js';

const CLUSTER_CONF = powerFencedConf('power');

it('a node that is cut off is switched off and on by the others, and rejoins', () => {
  const heard: string[] = [];
  const scenario: Scenario<string> = {
    name: 'power-fencing',
    title: 'a node is cut off',
    kinds: ['node.state', 'fenced.fenced'],
    *script(lab) {
      lab.powerOn(...lab.machines);
      yield* lab.wait(60 * SECOND);
      heard.length = 0;
      lab.partition(['node3'], ['node1', 'node2']);
      yield* lab.waitFor(({ kind }) => kind === 'fenced.fenced', 60 * SECOND);
      lab.heal();
      yield* lab.wait(60 * SECOND);
      const done = yield* lab.exec('node1', 'cman_tool status');
      return /^Nodes: \d/m.exec(done?.output ?? '')?.[0] ?? 'no answer';
    },
    onFact(fact: Stamped & { readonly state?: string; readonly victim?: number }) {
      heard.push(fact.kind === 'node.state' ? `node ${fact.node} ${fact.state}` : `node ${fact.victim} is fenced`);
    },
  };
  const topology = plainTopology({ machines: 3, clusterConf: CLUSTER_CONF });
  const run = new Simulator({ scenario, topology, seed: parseSeed('1')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  expect(run.result).toBe('Nodes: 3');
  const told = heard.filter((line, i) => line !== heard[i - 1]);
  expect(told).toEqual(['node 3 off', 'node 3 booting', 'node 3 is fenced', 'node 3 up']);
});
