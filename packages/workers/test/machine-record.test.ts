import { SECOND } from '@quorate/kernel';
import { machineConfig, VirtualMachine, type VirtualMachineInput, type VirtualMachineOutput } from '@quorate/lab';
import { expect, it } from 'vitest';
import { recordInput, reexecute } from '../src/record/machine-record.js';
import { BatchWriter, RecordKind } from '../src/wire/batch.js';
import { twoMachines } from './two-machines.js';

/** An ARP request for the machine's own address: it answers. */
const ARP_REQUEST = Uint8Array.from([
  ...[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
  ...[2, 0, 0, 0, 0, 9, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1],
]);

const NOTHING = new Uint8Array(0);

const HISTORY: readonly (readonly [seconds: number, input: VirtualMachineInput])[] = [
  [0, { kind: 'power-on' }],
  [1, { kind: 'carrier', nic: 0, isUp: false }],
  [2, { kind: 'carrier', nic: 0, isUp: true }],
  [40, { kind: 'frame', nic: 0, bytes: ARP_REQUEST }],
  [41, { kind: 'exec', id: 7, command: 'cat /dev/sdb' }],
  [42, { kind: 'exec', id: 0x8000_0001, command: 'echo grüß' }],
  [43, { kind: 'disk-path', isUp: false }],
  [44, { kind: 'disk-path', isUp: true }],
  [45, { kind: 'power-switched', id: 1, reply: { isOk: true, state: 'off' } }],
  [46, { kind: 'pause' }],
  [47, { kind: 'io-done', tag: 1, status: 2, sense: Uint8Array.of(0x70), data: NOTHING }],
  [48, { kind: 'resume' }],
  [50, { kind: 'power-off' }],
];

/** A machine of the pair, with every output as a line of text. */
function newMachine(): VirtualMachine {
  const topology = twoMachines();
  return new VirtualMachine(machineConfig(topology, topology.machines[0]!, { hi: 0, lo: 1 }, undefined));
}

function lineOf(at: number, output: VirtualMachineOutput): string {
  return `${at} ${JSON.stringify(output, (_key, value) => (value instanceof Uint8Array ? [...value].join(' ') : value))}`;
}

it('a machine that is stepped through the record of its inputs emits what it emitted, byte by byte', () => {
  const record = new BatchWriter();
  const first: string[] = [];
  const machine = newMachine();
  const step = (at: number, input: VirtualMachineInput) => {
    recordInput(record, at, input);
    machine.step(at, input, (output) => first.push(lineOf(at, output)));
  };
  for (const [seconds, input] of HISTORY) {
    while (machine.deadline() < seconds * SECOND) step(machine.deadline(), { kind: 'wake' });
    step(seconds * SECOND, input);
  }
  const again: string[] = [];
  reexecute(newMachine(), new Uint8Array(record.take()!), (at, output) => again.push(lineOf(at, output)));
  expect(again).toEqual(first);
  const kinds = new Set(first.map((line) => JSON.parse(line.slice(line.indexOf(' '))).kind));
  expect([...kinds].sort()).toEqual(['frame', 'link', 'log', 'power', 'replied', 'session']);
});

it('what is no input of a machine is refused', () => {
  const record = new BatchWriter();
  record.plain(RecordKind.login, 0);
  expect(() => reexecute(newMachine(), new Uint8Array(record.take()!), () => {})).toThrow('a record of kind 3');
});
