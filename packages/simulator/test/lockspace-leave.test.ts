import { fork, parseSeed, SECOND } from '@quorate/kernel';
import { lockChaosTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const topology = lockChaosTopology(administratorsPrograms);

it('a node leaves a lockspace only when no program has locks in it, and comes back', () => {
  const told: string[] = [];
  const scenario: Scenario = {
    name: 'leave',
    title: 'a lockspace is left',
    kinds: ['dlm.released', 'dlm.recovered', 'dlm.abandoned'],
    *script(lab) {
      const on = function* (machine: string, command: string) {
        const done = yield* lab.exec(machine, command);
        told.push(`${machine} ${command}: ${done?.status}`);
      };
      lab.powerOn('node1', 'node2', 'node3');
      yield* lab.wait(70 * SECOND);
      yield* on('node1', 'locks space 0 a=r:NL .');
      yield* on('node2', 'locks space 0 a=s:NL .');
      yield* fork(on('node1', 'locks space 0 a=r:EX . ~60000'));
      yield* lab.wait(SECOND);
      yield* fork(on('node2', 'locks space 0 a=r:EX .'));
      yield* lab.wait(SECOND);
      yield* on('node2', 'leave space');
      yield* on('node2', 'killall -9 locks');
      yield* on('node2', 'leave space');
      yield* on('node2', 'leave space');
      yield* on('node2', 'locks space 0 a=s:EX .');
    },
    onFact: (fact) => {
      if (fact.kind !== 'dlm.recovered') told.push(`${fact.node} ${fact.kind}`);
      else if ('members' in fact && fact.node === 1) told.push(`members ${String(fact.members)}`);
    },
  };
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  expect(told).toEqual([
    'members 1',
    'node1 locks space 0 a=r:NL .: 0',
    'members 1,2',
    'node2 locks space 0 a=s:NL .: 0',
    'node2 leave space: 1',
    '2 dlm.abandoned',
    'node2 locks space 0 a=r:EX .: 137',
    'node2 killall -9 locks: 0',
    '2 dlm.released',
    'node2 leave space: 0',
    'node2 leave space: 0',
    'members 1',
    'members 1,2',
    'node2 locks space 0 a=s:EX .: 0',
  ]);
});
