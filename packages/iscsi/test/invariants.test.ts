import { Checker, type Stamped, TAME_WORLD } from '@quorate/kernel';
import { IMMEDIATE_SERVICE, read10, SparseStore, write10 } from '@quorate/scsi';
import { expect, it } from 'vitest';
import { type IscsiFact, invariants, type PduFact } from '../src/index.js';
import { BLOCKS, Client, Rig, TARGET } from './rig.js';

type AnyFact = IscsiFact | PduFact;

/** The facts of a session that writes with R2Ts and reads in bursts. */
function healthyFacts(): readonly AnyFact[] {
  const facts: AnyFact[] = [];
  const note = (fact: AnyFact): void => {
    facts.push(fact);
  };
  const store = new SparseStore({ blocks: BLOCKS });
  const logicalUnits = [{ lun: 0, serial: 'RIG-1', store, service: IMMEDIATE_SERVICE }];
  const rig = new Rig({
    targets: [{ name: TARGET, logicalUnits }],
    world: TAME_WORLD,
    observe: note,
    observePdus: note,
  });
  const wishes = { initialR2T: true, immediateData: false, maxBurstLength: 1024, maxOutstandingR2T: 2 };
  const client = new Client(rig, { wishes: { ...wishes, maxRecvDataSegmentLength: 512 } }).settle();
  client.execute(write10(0, 10), { dataOut: new Uint8Array(5120).fill(1) });
  client.execute(read10(0, 10), { dataInLength: 5120 });
  return facts;
}

function violated(facts: readonly AnyFact[]): readonly string[] {
  const checker = new Checker(invariants);
  facts.forEach((fact, seq) => {
    checker.observe({ ...fact, node: 0, life: 1, seq, at: fact.now } as Stamped);
  });
  checker.end(0);
  return [...new Set(checker.violations.map(({ invariant }) => invariant))].sort();
}

const HEALTHY = healthyFacts();

/** The facts with the `nth` sent PDU of that opcode changed, or doubled. */
function planted(opcode: number, nth: number, bug: Partial<PduFact> | 'twice'): readonly AnyFact[] {
  let seen = 0;
  return HEALTHY.flatMap((fact) => {
    if (fact.kind !== 'iscsi.pdu-sent' || fact.opcode !== opcode) return [fact];
    seen += 1;
    if (seen !== nth) return [fact];
    return bug === 'twice' ? [fact, { ...fact, sequence: fact.sequence + 1 }] : [{ ...fact, ...bug } as AnyFact];
  });
}

it('a healthy session violates nothing', () => {
  expect(violated(HEALTHY)).toEqual([]);
});

it.each([
  // what                                         opcode nth  bug                         violates
  ['a StatSN that skips one', 0x21, 2, { sequence: 99 }, ['iscsi.I1']],
  ['a window that shrinks', 0x21, 2, { maxCmdSn: 2 }, ['iscsi.I2']],
  ['ExpCmdSN that goes back', 0x21, 2, { expected: 1 }, ['iscsi.I2']],
  ['a response to a task that nobody opened', 0x21, 2, { initiatorTaskTag: 4711 }, ['iscsi.I3']],
  ['R2T beyond the data', 0x31, 1, { bufferOffset: 5000 }, ['iscsi.I4']],
  ['R2T beyond MaxBurstLength', 0x31, 1, { lastWord: 2048 }, ['iscsi.I4']],
  ['R2T for nothing', 0x31, 1, { lastWord: 0 }, ['iscsi.I4']],
  ['R2TSN twice', 0x31, 2, { dataSn: 0 }, ['iscsi.I4']],
  ['Data-In that skips some', 0x25, 2, { bufferOffset: 1024 }, ['iscsi.I5']],
  ['DataSN twice', 0x25, 2, { dataSn: 0 }, ['iscsi.I5']],
  ['Data-In longer than settled', 0x25, 2, { dataLength: 1024 }, ['iscsi.I5']],
  ['a burst without end', 0x25, 2, { flags: 0 }, ['iscsi.I5']],
] as const)('%s', (_what, opcode, nth, bug, ids) => {
  expect(violated(planted(opcode, nth, bug))).toEqual(ids);
});

it('a second response to one task', () => {
  expect(violated(planted(0x21, 2, 'twice'))).toEqual(['iscsi.I1', 'iscsi.I3']);
});

it('an R2T more than were settled', () => {
  const isAnswer = (fact: AnyFact): boolean => fact.kind === 'iscsi.pdu-received' && fact.opcode === 0x05;
  expect(violated(HEALTHY.filter((fact) => !isAnswer(fact)))).toEqual(['iscsi.I4']);
});
