/**
 * Types of blocks of a pcapng file. Every block has its length at both ends:
 *
 * offset size field
 *      0    4 type
 *      4    4 length  L, of the whole block, a multiple of 4
 *      8    … body    ends in options: u16 code, u16 length, the value padded to 4 bytes; code 0 ends them
 *    L-4    4 length
 *
 * Body of a section header (`section`), which comes first and says the byte order of all that follows:
 *
 *      8    4 magic   0x1a2b3c4d
 *     12    4 version 1, 0 (16 bits each)
 *     16    8 length  of the section, -1 when it is not known
 *
 * Body of the description of an interface (`interface`); interfaces are numbered from 0 as they come:
 *
 *      8    2 link type          1 Ethernet
 *     10    2 –                  zero
 *     12    4 snap length        0: whole packets
 *
 * Body of a packet (`packet`):
 *
 *      8    4 interface
 *     12    4 time, high         64 bits in the unit of the interface's option `ifTsresol`
 *     16    4 time, low
 *     20    4 length kept
 *     24    4 length of the packet
 *     28    … packet             padded to 4 bytes
 *
 * Source: draft-ietf-opsawg-pcapng, "Section Header Block", "Interface Description Block", "Enhanced Packet Block".
 */
export const BlockType = { section: 0x0a0d0d0a, interface: 1, packet: 6 } as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** The same in the other byte order. */
export const BYTE_ORDER_MAGIC_SWAPPED = 0x4d3c2b1a;
/** Type and both lengths. */
export const BLOCK_BYTES = 12;
export const LINKTYPE_ETHERNET = 1;

/** Codes of options; from 2 on they mean something else in each type of block. */
export const Option = { end: 0, comment: 1, ifName: 2, epbFlags: 2, ifTsresol: 9, shbUserAppl: 4 } as const;
/** In `ifTsresol`: ten to the power of minus this many seconds. */
export const NANOSECONDS = 9;

/** Low two bits of `epbFlags`. */
export const Direction = { unknown: 0, inbound: 1, outbound: 2 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

export function padded(length: number): number {
  return (length + 3) & ~3;
}
