import { parseSeed, SECOND, type Stamped } from '@quorate/kernel';
import { lockChaosTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

/** Three nodes take locks in a lockspace one after the other, and keep them. Gives what is told of it. */
function lockspaceFacts(attributes: string, kinds: readonly string[]): Stamped[] {
  const plain = lockChaosTopology(administratorsPrograms);
  const masters = '<master name="node1"/><master name="node2" weight="2"/>';
  const dlm = `<dlm><lockspace name="space"${attributes}>${masters}</lockspace></dlm>`;
  const topology = { ...plain, clusterConf: `${plain.clusterConf?.replace(/<dlm>.*<\/dlm>/, dlm)}` };
  const facts: Stamped[] = [];
  const scenario: Scenario = {
    name: 'weights',
    title: 'weights of a lockspace',
    kinds,
    *script(lab) {
      lab.powerOn(...lab.machines);
      yield* lab.wait(70 * SECOND);
      for (const machine of ['node3', 'node1', 'node2']) {
        yield* lab.exec(machine, 'locks space 0 a=r:NL .');
      }
    },
    onFact: (fact) => void facts.push(fact),
  };
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  return facts;
}

it('<master> says which nodes have a share of the directory of a lockspace, and how much', () => {
  const arrays = lockspaceFacts('', ['dlm.started']).flatMap((fact) =>
    'nodeArray' in fact && fact.node === 3 ? [String(fact.nodeArray)] : [],
  );
  // While none of them is a member each counts once.
  expect(arrays).toEqual(['3', '1', '1,2,2']);
});

it('a lockspace with nodir="1" has no directory: its resources are where the weights say', () => {
  const facts = lockspaceFacts(' nodir="1"', ['dlm.master', 'dlm.directory']);
  const told = facts.map((fact) => `${fact.node} ${fact.kind} ${'resource' in fact ? fact.resource : ''}`);
  // By the hash of r, with one member, then among 1, then among 1, 2, 2; its lock moves with each of them that joins.
  expect(told).toEqual(['3 dlm.master r', '1 dlm.master r', '2 dlm.master r']);
});
