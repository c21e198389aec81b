import { ByteWriter } from '@quorate/kernel';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type RgMessage, readMessage, writeMessage } from '../src/cluster/message.js';
import { Control, readPortHeader, writePortHeader } from '../src/cluster/port-header.js';
import { Rgmanager } from '../src/index.js';
import { parseConf } from './parse-conf.js';

const MESSAGES: readonly RgMessage[] = [
  { kind: 'action', service: 'service:web', action: 1, target: 1, result: 0, arg1: 0, arg2: 0 },
  { kind: 'event', service: 'service:web', state: 112, owner: 2, lastOwner: 2 },
  { kind: 'exiting', node: 2 },
  { kind: 'join-view', transaction: 7, key: 'rg="web"', coordinator: 2, view: 3, data: Uint8Array.of(1, 2, 3) },
  { kind: 'vote', transaction: 7, isYes: true },
  { kind: 'formed', transaction: 7 },
  { kind: 'ack', key: 'rg="web"', view: 3, data: Uint8Array.of(4) },
];

/** From node 2 to everybody. */
function datagram(message: RgMessage): Uint8Array {
  const writer = new ByteWriter(false, 256);
  const everybody = { destinationContext: 0, destinationNode: 0 };
  writePortHeader(writer, { sourceContext: 0, sourceNode: 2, ...everybody, control: Control.DATA });
  writeMessage(writer, message);
  return writer.bytes();
}

/** A real datagram with some bytes changed, perhaps cut off; or anything. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(
      fc.constantFrom(...MESSAGES.map(datagram)),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.option(fc.nat(), { freq: 4 }),
    )
    .map(([real, changes, end]) => {
      const copy = real.slice(0, end === null ? real.length : end % (real.length + 1));
      for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
      return copy;
    }),
);

it.each([
  ['messages', readMessage],
  ['headers', readPortHeader],
] as const)('no bytes make reading %s throw', (_, read) => {
  fc.assert(fc.property(bytes, (each) => void read(each)));
});

it('no datagram makes a manager throw, and what it does not understand it counts', () => {
  const conf = parseConf('<cluster><clusternodes><clusternode name="n" nodeid="1"/></clusternodes><rm/></cluster>');
  const reasons = new Set<string>();
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), (payloads) => {
      const manager = new Rgmanager({ nodeId: 1, nodes: [{ id: 1, name: 'n' }], conf });
      const emit = (): void => {};
      manager.step(0, { kind: 'start', wall: 0 }, emit);
      manager.step(0, { kind: 'membership', members: [1, 2], isQuorate: true }, emit);
      manager.step(0, { kind: 'lockspace-created' }, emit);
      for (const payload of payloads) manager.step(0, { kind: 'message', from: 2, payload }, emit);
      for (const reason of Object.keys(manager.inspect().rejected)) reasons.add(reason);
    }),
    { seed: 1, numRuns: 300 },
  );
  expect([...reasons]).toContain('bad-magic');
});
