import { ByteReader, type Nanos, utf8Text, viewOf } from '@quorate/kernel';
import { TraceError } from '../reader.js';
import {
  BLOCK_BYTES,
  BlockType,
  BYTE_ORDER_MAGIC,
  BYTE_ORDER_MAGIC_SWAPPED,
  Direction,
  Option,
  padded,
} from './pcapng-layout.js';

/** A frame as a pcapng file has it. */
export interface ReadPacket {
  /** Name of its interface; empty when that has none. */
  readonly interface: string;
  readonly at: Nanos;
  /** Aliases the file. */
  readonly bytes: Uint8Array;
  readonly direction: Direction;
  readonly comment: string | undefined;
}

interface Interface {
  readonly name: string;
  /** Nanoseconds in a unit of its times. */
  readonly unit: number;
}

/** Times without `ifTsresol` are in microseconds. */
const DEFAULT_RESOLUTION = 6;

/**
 * The packets of a pcapng file, of either byte order, in the order of the file. Blocks of other types are passed over.
 *
 * @throws {TraceError} where the file is none, is cut off or contradicts itself, when that place is reached.
 */
export function* readPcapng(file: Uint8Array): Generator<ReadPacket, void, undefined> {
  const view = viewOf(file);
  const interfaces: Interface[] = [];
  let isLittle = true;
  for (let at = 0; at < file.length; ) {
    if (file.length - at < BLOCK_BYTES) throw new TraceError(at, `found ${file.length - at} bytes, expected a block`);
    const type = view.getUint32(at, true);
    if (type === BlockType.section) {
      isLittle = isLittleSection(view, at);
      interfaces.length = 0;
    } else if (at === 0) {
      throw new TraceError(0, `found 0x${type.toString(16)}, expected 0x${BlockType.section.toString(16)}: no pcapng`);
    }
    const length = view.getUint32(at + 4, isLittle);
    const isWhole = length >= BLOCK_BYTES && length % 4 === 0 && at + length <= file.length;
    if (!isWhole || view.getUint32(at + length - 4, isLittle) !== length) {
      throw new TraceError(at + 4, `found a block of ${length} bytes, expected the same length at both of its ends`);
    }
    const body = new ByteReader(file.subarray(at + 8, at + length - 4), isLittle);
    switch (view.getUint32(at, isLittle)) {
      case BlockType.interface:
        interfaces.push(readInterface(body));
        break;
      case BlockType.packet:
        yield readPacket(body, interfaces, at);
        break;
    }
    at += length;
  }
}

function isLittleSection(view: DataView, at: number): boolean {
  const magic = view.getUint32(at + 8, true);
  if (magic === BYTE_ORDER_MAGIC) return true;
  if (magic === BYTE_ORDER_MAGIC_SWAPPED) return false;
  throw new TraceError(at + 8, `found byte order 0x${magic.toString(16)}, expected 0x${BYTE_ORDER_MAGIC.toString(16)}`);
}

function readInterface(body: ByteReader): Interface {
  body.skip(8);
  let name = '';
  let resolution = DEFAULT_RESOLUTION;
  for (const [code, value] of optionsOf(body)) {
    if (code === Option.ifName) name = utf8Text(value);
    else if (code === Option.ifTsresol) resolution = value[0] ?? DEFAULT_RESOLUTION;
  }
  // Bit 7 says that the number is a power of two.
  return { name, unit: 1e9 / ((resolution & 0x80) === 0 ? 10 ** resolution : 2 ** (resolution & 0x7f)) };
}

function readPacket(body: ByteReader, interfaces: readonly Interface[], at: number): ReadPacket {
  const number = body.u32();
  const port = interfaces[number];
  if (port === undefined) {
    throw new TraceError(at + 8, `found interface ${number}, expected one below ${interfaces.length}`);
  }
  const time = body.u32() * 0x1_0000_0000 + body.u32();
  const length = body.u32();
  body.skip(4);
  const bytes = body.raw(padded(length)).subarray(0, length);
  if (!body.ok) throw new TraceError(at + 20, `found a packet of ${length} bytes, expected one that fits its block`);
  let direction: Direction = Direction.unknown;
  let comment: string | undefined;
  for (const [code, value] of optionsOf(body)) {
    if (code === Option.comment) comment = utf8Text(value);
    else if (code === Option.epbFlags) direction = directionOf(value[0] ?? 0);
  }
  return { interface: port.name, at: time * port.unit, bytes, direction, comment };
}

function directionOf(flags: number): Direction {
  switch (flags & 3) {
    case Direction.inbound:
      return Direction.inbound;
    case Direction.outbound:
      return Direction.outbound;
    default:
      return Direction.unknown;
  }
}

function* optionsOf(body: ByteReader): Generator<[code: number, value: Uint8Array], void, undefined> {
  while (body.left >= 4) {
    const code = body.u16();
    const length = body.u16();
    if (code === Option.end) return;
    yield [code, body.raw(padded(length)).subarray(0, length)];
  }
}
