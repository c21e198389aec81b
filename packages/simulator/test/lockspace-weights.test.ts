import { parseSeed, SECOND, type Stamped } from '@quorate/kernel';
import { lockChaosTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

it('<master> says which nodes have a share of the directory of a lockspace, and how much', () => {
  const plain = lockChaosTopology(administratorsPrograms);
  const masters = '<master name="node1"/><master name="node2" weight="2"/>';
  const dlm = `<dlm><lockspace name="space">${masters}</lockspace></dlm></cluster>`;
  const topology = { ...plain, clusterConf: `${plain.clusterConf?.replace('</cluster>', dlm)}` };
  const arrays: string[] = [];
  const scenario: Scenario = {
    name: 'weights',
    title: 'weights of a lockspace',
    kinds: ['dlm.started'],
    *script(lab) {
      lab.powerOn(...lab.machines);
      yield* lab.wait(70 * SECOND);
      for (const machine of ['node3', 'node1', 'node2']) yield* lab.exec(machine, 'locks space 0 a=r:NL .');
    },
    onFact(fact: Stamped) {
      if ('nodeArray' in fact && fact.node === 3) arrays.push(String(fact.nodeArray));
    },
  };
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  // While none of them is a member each counts once.
  expect(arrays).toEqual(['3', '1', '1,2,2']);
});
