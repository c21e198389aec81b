import { ByteWriter, type Nanos, utf8Bytes } from '@quorate/kernel';
import { DRIVER_NODE } from '../layout.js';
import type { Trace, TraceRecord } from '../reader.js';
import { nameOf, nodeNames, WORLD_NODE } from './names.js';

/**
 * Block types and options of pcapng. Little-endian here; every block has its length at both ends, and is padded to four bytes.
 *
 * Source: draft-ietf-opsawg-pcapng, "Section Header Block", "Interface Description Block", "Enhanced Packet Block".
 */
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const Option = { end: 0, comment: 1, ifName: 2, epbFlags: 2, ifTsresol: 9, shbUserAppl: 4 } as const;
const LINKTYPE_ETHERNET = 1;
/** Ten to the power of minus this many seconds. */
const NANOSECONDS = 9;
const INBOUND = 1;
const OUTBOUND = 2;

interface Sent {
  readonly at: Nanos;
  readonly node: number;
  readonly payload: Uint8Array;
}

/**
 * The frames of a run, for Wireshark: one interface for each node's card, each frame where it was sent and where it arrived.
 *
 * A frame that was dropped has a comment with the reason, at its sender and the instant of the drop. Times are the run's own,
 * from 1970 on. Yields nothing but whole blocks.
 *
 * @throws {RangeError} when frames were traced without their bytes.
 */
export function* exportPcapng(trace: Trace): Generator<Uint8Array, void, undefined> {
  const writer = new ByteWriter(true);
  const interfaces = new Map<number, number>();
  yield sectionHeader(writer);
  const names = nodeNames(trace.header);
  for (const [node, name] of names) {
    if (node === WORLD_NODE || node === DRIVER_NODE) continue;
    interfaces.set(node, interfaces.size);
    yield interfaceDescription(writer, `${name}.eth0`);
  }
  /** The frame that a node has sent last: its first copy has the bytes, further ones follow at once. */
  let last: Sent | undefined;
  const sent = new Map<unknown, Sent>();
  for (const record of trace.records()) {
    const { time, node, kind, fields } = record;
    const port = interfaces.get(node);
    if (port === undefined) continue;
    switch (kind) {
      case 'net.send': {
        const payload = fields.payload as Uint8Array;
        if (payload.length > 0) {
          last = { at: time, node, payload };
          yield packet(writer, port, time, payload, OUTBOUND, undefined);
        }
        // Where a window begins between the copies of a frame, its bytes are not known.
        if (last?.at === time && last.node === node) sent.set(fields.id, last);
        break;
      }
      case 'net.recv': {
        const payload = fields.payload as Uint8Array;
        if (payload.length === 0) throw withoutPayloads(record);
        sent.delete(fields.id);
        yield packet(writer, port, time, payload, INBOUND, undefined);
        break;
      }
      case 'net.drop': {
        const frame = sent.get(fields.id);
        sent.delete(fields.id);
        if (frame === undefined) break;
        const to = Number(fields.to);
        const where = to < 0 ? '' : ` on the way to ${nameOf(names, to)}`;
        yield packet(writer, port, time, frame.payload, OUTBOUND, `dropped${where}: ${fields.reason}`);
        break;
      }
    }
  }
}

function withoutPayloads({ time }: TraceRecord): RangeError {
  return new RangeError(`the frame at ${time} ns has no bytes: pcapng needs a trace with payloads`);
}

function sectionHeader(writer: ByteWriter): Uint8Array {
  return block(writer, SECTION_HEADER, () => {
    // The length of the section is not known, which is -1.
    writer.u32(BYTE_ORDER_MAGIC).u16(1).u16(0).u32(-1).u32(-1);
    option(writer, Option.shbUserAppl, utf8Bytes('quorate'));
    option(writer, Option.end, NOTHING);
  });
}

function interfaceDescription(writer: ByteWriter, name: string): Uint8Array {
  return block(writer, INTERFACE_DESCRIPTION, () => {
    writer.u16(LINKTYPE_ETHERNET).u16(0).u32(0);
    option(writer, Option.ifName, utf8Bytes(name));
    option(writer, Option.ifTsresol, Uint8Array.of(NANOSECONDS));
    option(writer, Option.end, NOTHING);
  });
}

function packet(
  writer: ByteWriter,
  port: number,
  at: Nanos,
  bytes: Uint8Array,
  direction: number,
  comment: string | undefined,
): Uint8Array {
  return block(writer, ENHANCED_PACKET, () => {
    writer
      .u32(port)
      .u32(Math.floor(at / 0x1_0000_0000))
      .u32(at % 0x1_0000_0000)
      .u32(bytes.length)
      .u32(bytes.length);
    writer.raw(bytes, padded(bytes.length));
    if (comment !== undefined) option(writer, Option.comment, utf8Bytes(comment));
    option(writer, Option.epbFlags, Uint8Array.of(direction, 0, 0, 0));
    option(writer, Option.end, NOTHING);
  });
}

const NOTHING = new Uint8Array(0);
/** Type and both lengths. */
const FRAME_BYTES = 12;

/** A block around what `body` writes, in a buffer of its own. */
function block(writer: ByteWriter, type: number, body: () => void): Uint8Array {
  writer.reset();
  body();
  const content = writer.bytes().slice();
  const length = content.length + FRAME_BYTES;
  return writer.reset().u32(type).u32(length).raw(content).u32(length).bytes().slice();
}

function option(writer: ByteWriter, code: number, value: Uint8Array): void {
  writer.u16(code).u16(value.length).raw(value, padded(value.length));
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
