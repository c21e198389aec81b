import { ByteWriter, type Nanos, utf8Bytes } from '@quorate/kernel';
import {
  BLOCK_BYTES,
  BlockType,
  BYTE_ORDER_MAGIC,
  type Direction,
  LINKTYPE_ETHERNET,
  NANOSECONDS,
  Option,
  padded,
} from './pcapng-layout.js';

/** A frame on a card. */
export interface CapturedPacket {
  /** What `addInterface` gave. */
  readonly interface: number;
  /** From 1970 on: a run that begins at 0 does so there. */
  readonly at: Nanos;
  /** An Ethernet frame. */
  readonly bytes: Uint8Array;
  readonly direction: Direction;
  readonly comment?: string | undefined;
}

/** Writes a pcapng file block by block. Little-endian, times in nanoseconds. The layout stands in `pcapng-layout.ts`. */
export class PcapngWriter {
  readonly #sink: (block: Uint8Array) => void;
  readonly #writer = new ByteWriter(true);
  #interfaces = 0;

  /** `sink` gets the file a block at a time, each valid during that call only. */
  constructor(sink: (block: Uint8Array) => void) {
    this.#sink = sink;
    this.#block(BlockType.section, (writer) => {
      writer.u32(BYTE_ORDER_MAGIC).u16(1).u16(0).u32(-1).u32(-1);
      option(writer, Option.shbUserAppl, utf8Bytes('quorate'));
    });
  }

  /** Adds an Ethernet card, and gives its number. Cards may be added between packets. */
  addInterface(name: string): number {
    this.#block(BlockType.interface, (writer) => {
      writer.u16(LINKTYPE_ETHERNET).u16(0).u32(0);
      option(writer, Option.ifName, utf8Bytes(name));
      option(writer, Option.ifTsresol, Uint8Array.of(NANOSECONDS));
    });
    this.#interfaces += 1;
    return this.#interfaces - 1;
  }

  /** @throws {RangeError} when there is no such interface. */
  add({ interface: port, at, bytes, direction, comment }: CapturedPacket): void {
    if (!(port < this.#interfaces)) {
      throw new RangeError(`found interface ${port}, expected one below ${this.#interfaces}`);
    }
    this.#block(BlockType.packet, (writer) => {
      writer
        .u32(port)
        .u32(Math.floor(at / 0x1_0000_0000))
        .u32(at % 0x1_0000_0000)
        .u32(bytes.length)
        .u32(bytes.length)
        .raw(bytes, padded(bytes.length));
      if (comment !== undefined) option(writer, Option.comment, utf8Bytes(comment));
      option(writer, Option.epbFlags, Uint8Array.of(direction, 0, 0, 0));
    });
  }

  #block(type: number, body: (writer: ByteWriter) => void): void {
    const writer = this.#writer.reset().u32(type).u32(0);
    body(writer);
    writer.u16(Option.end).u16(0);
    const length = writer.length + BLOCK_BYTES - 8;
    this.#sink(writer.patch32(4, length).u32(length).bytes());
  }
}

function option(writer: ByteWriter, code: number, value: Uint8Array): void {
  writer.u16(code).u16(value.length).raw(value, padded(value.length));
}
