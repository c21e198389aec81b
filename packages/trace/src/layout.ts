/**
 * A `.qtrace` file. Little-endian.
 *
 * offset size field
 *      0    8 magic    "QRTRACE1"
 *      8    2 version  1
 *     10    2 flags    1 blocks deflated (raw), 2 payloads, 4 truncated, 8 has key frames
 *     12    4 length   H, of the header
 *     16    H header   MessagePack map: seed, scenario, config, nodes, links, luns, kinds, …
 *
 * then blocks:
 *
 *      0    4 magic    "BLK1"
 *      4    4 raw      bytes of its records
 *      8    4 stored   bytes that follow the head
 *     12    4 records
 *     16    8 time     of the first record, ns, double
 *     24    8 seq      of the first record, double
 *     32    4 crc      CRC-32C of the stored bytes
 *     36    4 –        zero
 *
 * then the footer: a MessagePack map `{ index: [offset, time, seq, records][], hash }`, and the last 24 bytes:
 *
 *      0    8 offset   of the footer, double
 *      8    4 length   of the footer
 *     12    4 crc      CRC-32C of the footer
 *     16    8 magic    "QRTREND1"
 *
 * Every block decodes alone: its first record's time and seq count from its head, and it brings the strings that its
 * records name. A file without a footer is readable from its beginning.
 *
 * A record: kind u8, node u8 (255 the driver), time and seq as differences from the record before, then the fields of
 * the kind's schema. A package's kind (128 and above) has the length of its fields before them.
 *
 * Source: this project's specification of deterministic simulation, section 12.
 */
export const FILE_MAGIC = 'QRTRACE1';
export const END_MAGIC = 'QRTREND1';
export const BLOCK_MAGIC = 0x314b4c42;
export const VERSION = 1;
export const FILE_HEAD_BYTES = 16;
export const BLOCK_HEAD_BYTES = 40;
export const END_BYTES = 24;
/** Records are collected until a block has about this many bytes. */
export const BLOCK_TARGET_BYTES = 65_536;
/** The node number of what belongs to no node. */
export const DRIVER_NODE = 255;
export const IS_DEFLATED = 1;
export const HAS_PAYLOADS = 2;
