import { ByteReader, type ByteWriter } from '@quorate/kernel';

/** cman's port that rgmanagers listen on. */
export const RG_PORT = 177;

export const Control = { OPEN: 1, OPEN_ACK: 2, CLOSE: 3, DATA: 4 } as const;

/** Which conversation of which nodes a message belongs to. */
export interface PortHeader {
  /** Number of the sender's end, 1..127; 0 is where everybody listens. */
  readonly sourceContext: number;
  readonly sourceNode: number;
  /** 0 until the receiver's end is known, and in messages to everybody. */
  readonly destinationContext: number;
  /** 0: everybody. */
  readonly destinationNode: number;
  /** `Control`. */
  readonly control: number;
}

export const PORT_HEADER_BYTES = 32;

/**
 * Header in front of every message on cman's port 177. Big-endian.
 *
 * offset size field
 *      0    4 source context
 *      4    4 source node
 *      8    4 destination context
 *     12    4 destination node
 *     16    1 control   1 open, 2 open-ack, 3 close, 4 data
 *     17    1 port      177
 *     18    2 –         zero
 *     20   12 reserved  zero
 *
 * Source: rgmanager include/message.h, `cluster_msg_hdr_t`.
 */
export function writePortHeader(writer: ByteWriter, header: PortHeader): void {
  writer.u32(header.sourceContext).u32(header.sourceNode).u32(header.destinationContext).u32(header.destinationNode);
  writer.u8(header.control).u8(RG_PORT).zeros(14);
}

/** Undefined when the bytes are too few. */
export function readPortHeader(bytes: Uint8Array): PortHeader | undefined {
  if (bytes.length < PORT_HEADER_BYTES) return undefined;
  const reader = new ByteReader(bytes, false);
  return {
    sourceContext: reader.u32(),
    sourceNode: reader.u32(),
    destinationContext: reader.u32(),
    destinationNode: reader.u32(),
    control: reader.u8(),
  };
}
