/** First word of every metadata block, and what `statfs` reports as the file system's type. */
export const GFS2_MAGIC = 0x01161970;

/** Bytes of the metadata header. */
export const META_HEADER_BYTES = 24;

/** Kinds of metadata blocks by their short name (`GFS2_METATYPE_…`). */
export const META_TYPE = {
  SB: 1,
  RG: 2,
  RB: 3,
  DI: 4,
  IN: 5,
  LF: 6,
  JD: 7,
  LH: 8,
  LD: 9,
  EA: 10,
  ED: 11,
  LB: 12,
  QC: 14,
} as const;

export type MetaType = (typeof META_TYPE)[keyof typeof META_TYPE];

/** `mh_format` by `mh_type`; 0 where no type has that number. */
const META_FORMAT: readonly number[] = [
  0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1600, 1700, 1000, 0, 1400,
] as const;

/**
 * Metadata block header, the first 24 bytes of every GFS2 metadata block. Big-endian.
 *
 * offset size field
 *      0    4 magic    0x01161970
 *      4    4 type     `META_TYPE`
 *      8    8 –        zero
 *     16    4 format   fixed by the type
 *     20    4 jid      journal id of the writing node in log headers, else zero
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_meta_header`.
 */
export function encodeMetaHeader(block: Uint8Array, type: MetaType, jid = 0): void {
  setWordAt(block, 0, GFS2_MAGIC);
  setWordAt(block, 4, type);
  setWordAt(block, 8, 0);
  setWordAt(block, 12, 0);
  setWordAt(block, 16, META_FORMAT[type]!);
  setWordAt(block, 20, jid);
}

/** Makes `block` an empty metadata block of that type: header, then zeros. */
export function initMetaBlock(block: Uint8Array, type: MetaType): void {
  block.fill(0, META_HEADER_BYTES);
  encodeMetaHeader(block, type);
}

/** Type of a metadata block; 0 when it does not start with the magic number. */
export function metaTypeOf(block: Uint8Array): number {
  return wordAt(block, 0) === GFS2_MAGIC ? wordAt(block, 4) : 0;
}

/** Whether the block is metadata of that type with the format that belongs to it. */
export function isMetaBlock(block: Uint8Array, type: MetaType): boolean {
  return metaTypeOf(block) === type && wordAt(block, 16) === META_FORMAT[type];
}

/** An unsigned word of a block, big-endian. Where one word is wanted, a view costs ten times what it reads. */
export function wordAt(block: Uint8Array, at: number): number {
  return ((block[at]! << 24) | (block[at + 1]! << 16) | (block[at + 2]! << 8) | block[at + 3]!) >>> 0;
}

/** Sets an unsigned word of a block, big-endian. */
export function setWordAt(block: Uint8Array, at: number, value: number): void {
  block[at] = value >>> 24;
  block[at + 1] = value >>> 16;
  block[at + 2] = value >>> 8;
  block[at + 3] = value;
}
