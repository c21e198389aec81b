import { ByteWriter, latin1, SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { corosync31, type NodeId } from '../src/index.js';
import { Encapsulated } from '../src/wire/header.js';
import { decodePacket, encodePacket } from '../src/wire/packet.js';
import { Cluster } from './cluster.js';

/** What a big-endian node would have sent in the place of this one's; a packet of another one stays as it came. */
function asBigEndian(from: NodeId, bytes: Uint8Array): Uint8Array {
  const packet = decodePacket(bytes);
  if (typeof packet === 'string') throw new Error(packet);
  const writer = new ByteWriter(false, 2048);
  if (packet.kind !== 'mcast') encodePacket(writer, packet);
  else if (packet.body.systemFrom !== from || packet.body.encapsulated !== Encapsulated.normal) return bytes;
  else encodePacket(writer, { kind: 'mcast', body: { ...packet.body, payload: swappedPacking(packet.body.payload) } });
  return writer.bytes().slice();
}

/** The numbers in front of whole messages: the packing's, and those of each message's one group. */
function swappedPacking(payload: Uint8Array): Uint8Array {
  const swapped = payload.slice();
  const swap = (at: number): void => swapped.set([payload[at + 1]!, payload[at]!], at);
  const count = payload[6]! | (payload[7]! << 8);
  for (const at of [0, 2, 6]) swap(at);
  let piece = 8 + 2 * count;
  for (let i = 0; i < count; i++) {
    swap(8 + 2 * i);
    swap(piece);
    swap(piece + 2);
    piece += payload[8 + 2 * i]! | (payload[9 + 2 * i]! << 8);
  }
  return swapped;
}

it('a big-endian node is a member like any other, as representative too', () => {
  for (const bigEndian of [1, 3]) {
    const cluster = new Cluster({ nodes: 3, timings: corosync31(2, { tokenMs: 1000 }) });
    cluster.wire = (from, bytes) => (from === bigEndian ? asBigEndian(from, bytes) : bytes);
    for (const id of cluster.ids) cluster.boot(id);
    cluster.run(SECOND);
    expect(cluster.isRingOf([1, 2, 3])).toBe(true);
    for (const id of cluster.ids) for (const word of ['first', 'second']) cluster.cast(id, `${word} of ${id}`);
    // What it sent is sent again by others as it was.
    let losses = 0;
    cluster.filter = (_, to, bytes) => bytes[3] !== 1 || to !== 2 || losses++ > 3;
    cluster.run(3 * SECOND);
    const heard = cluster.ids.map((id) =>
      cluster.said.flatMap(({ node, output }) =>
        node === id && output.kind === 'deliver' ? [latin1(output.payload, 0, output.payload.length)] : [],
      ),
    );
    expect(heard[0]).toHaveLength(6);
    expect(heard[1]).toEqual(heard[0]);
    expect(heard[2]).toEqual(heard[0]);
    expect(cluster.totem(2).inspect().rejects).toEqual({});
  }
});
