import { ByteWriter, hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  type CpgMessage,
  CpgReason,
  decodeCpgMessage,
  encodeDownList,
  encodeJoinList,
  encodeMcast,
  encodeProcJoin,
  encodeProcLeave,
  isCpgMessage,
} from '../src/cpg/cpg-message.js';
import { decodeServiceMessage } from '../src/cpg/service-message.js';
import { decodeSyncMessage, encodeBarrier, encodeServiceBuild } from '../src/cpg/sync-message.js';
import { decodeGroups, encodeGroups } from '../src/group-message.js';
import { Packer } from '../src/packer.js';
import { Reassembly } from '../src/reassembly.js';
import { Encapsulated } from '../src/wire/header.js';
import type { Mcast } from '../src/wire/mcast.js';
import { decodePacket, encodePacket } from '../src/wire/packet.js';
import { RECORDINGS, type Recorded, recorded, withoutTarget } from './recorded.js';

const NET_MTU = 1410;

/** The packets that one sender had ordered, each once, with what they carry. */
function packetsOf(recording: readonly Recorded[], sender: number): readonly Mcast[] {
  const places = new Set<string>();
  const packets: Mcast[] = [];
  for (const { bytes } of recording) {
    const packet = decodePacket(bytes);
    if (typeof packet === 'string' || packet.kind !== 'mcast') continue;
    const { ring, seq, systemFrom, encapsulated } = packet.body;
    const place = `${ring.representative}.${ring.seq} ${seq}`;
    if (systemFrom !== sender || encapsulated !== Encapsulated.normal || places.has(place)) continue;
    places.add(place);
    packets.push(packet.body);
  }
  return packets.sort((a, b) => a.thisSeqno - b.thisSeqno);
}

interface Unpacked {
  readonly payload: Uint8Array;
  /** Messages that end in this packet. */
  readonly ended: readonly Uint8Array[];
}

function unpack(packets: readonly Mcast[]): Unpacked[] {
  let ended: Uint8Array[] = [];
  const reassembly = new Reassembly((_, message) => ended.push(message.slice()));
  return packets.map(({ payload }) => {
    ended = [];
    expect(reassembly.take(1, payload, true)).toBe(true);
    return { payload, ended };
  });
}

function sendersOf(recording: readonly Recorded[]): number[] {
  return [...new Set(recording.map(({ from }) => from))].sort();
}

describe.each(RECORDINGS)('%s', (name) => {
  const recording = recorded(name);

  it('every datagram is read and written to the same bytes', () => {
    const writer = new ByteWriter(true);
    for (const { bytes } of recording) {
      const packet = decodePacket(bytes);
      if (typeof packet === 'string') throw new Error(`${packet}: ${hex(bytes)}`);
      encodePacket(writer, packet);
      expect(hex(withoutTarget(writer.bytes()))).toBe(hex(withoutTarget(bytes)));
    }
  });

  it('a swapped datagram means the same', () => {
    for (const { bytes } of recording) {
      const packet = decodePacket(bytes);
      if (typeof packet === 'string') throw new Error(packet);
      const swapped = new ByteWriter(false);
      encodePacket(swapped, packet);
      const read = decodePacket(swapped.bytes());
      if (packet.kind === 'mcast')
        expect(read).toEqual({ kind: 'mcast', body: { ...packet.body, littleEndian: false } });
      else expect(read).toEqual(packet);
    }
  });

  it.each(sendersOf(recording))('what node %i had to say, packed again, gives its packets', (sender) => {
    const unpacked = unpack(packetsOf(recording, sender));
    // A recording that begins in the middle of a message is followed from the first packet that begins one.
    const begin = unpacked.findIndex(({ payload }) => payload[5] === 0);
    const packed: string[] = [];
    const packer = new Packer(NET_MTU, (payload) => packed.push(hex(payload)));
    for (const { payload, ended } of unpacked.slice(begin)) {
      for (const message of ended) packer.add(vectorsOf(message), false);
      if (payload[4] === 0) packer.flush();
    }
    const expected = unpacked.slice(begin).map(({ payload }) => hex(payload));
    expect(packed).toEqual(expected.slice(0, packed.length));
    // At the end a message may be open.
    expect(expected.length - packed.length).toBeLessThan(2);
  });

  it('every message of synchronisation and process groups is read and written to the same bytes', () => {
    for (const sender of sendersOf(recording)) {
      for (const message of unpack(packetsOf(recording, sender)).flatMap(({ ended }) => ended)) {
        const decoded = decodeGroups(message, true)!;
        const service = decodeServiceMessage(decoded.payload)!;
        expect(service.bytes).toHaveLength(decoded.payload.length);
        if (decoded.groups[0] === 'sync') {
          const sync = decodeSyncMessage(service)!;
          const writer = new ByteWriter(true);
          const written =
            sync.kind === 'barrier'
              ? encodeBarrier(writer, sync.ring)
              : encodeServiceBuild(writer, sync.ring, sync.services);
          expect(hex(written)).toBe(hex(service.bytes));
        } else if (isCpgMessage(service)) {
          expect(hex(rewritten(decodeCpgMessage(service)!, sender))).toBe(hex(comparable(service.bytes)));
        }
      }
    }
  });
});

/** A message as it is handed to totempg: lengths of group names, names, and what services send in one piece. */
function vectorsOf(message: Uint8Array): readonly Uint8Array[] {
  const { groups, payload } = decodeGroups(message, true)!;
  const { lengths, names } = encodeGroups(groups);
  return [lengths, names, payload];
}

function rewritten(message: CpgMessage, sender: number): Uint8Array {
  const writer = new ByteWriter(true);
  switch (message.kind) {
    case 'proc-join':
      return encodeProcJoin(writer, message.group, message.pid);
    case 'proc-leave':
      expect([CpgReason.leave, CpgReason.procDown]).toContain(message.reason);
      return encodeProcLeave(writer, message.group, message.pid, message.reason);
    case 'join-list':
      return encodeJoinList(writer, message.processes);
    case 'mcast':
      return encodeMcast(writer, message.group, message.pid, sender, message.payload);
    case 'down-list':
      return encodeDownList(writer, message.oldMembers, message.left);
    case 'partial-mcast':
      throw new Error('none was recorded');
  }
}

/** Without what has no meaning: the source connection of an MCAST, stale entries of a DOWNLIST. */
function comparable(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  if (copy[0] === 3) copy.fill(0, 176, 184);
  if (copy[0] === 5) copy.fill(0, 32 + 4 * copy[24]!);
  return copy;
}
