/** Tables of a reflected 32-bit CRC for four bytes at a time: entry `k * 256 + b` advances byte `b` by `k` more bytes. */
function sliceTables(polynomial: number): Uint32Array {
  const tables = new Uint32Array(4 * 256);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[b] = crc;
  }
  for (let b = 0; b < 256; b++) {
    for (let k = 1; k < 4; k++) {
      const previous = tables[(k - 1) * 256 + b]!;
      tables[k * 256 + b] = (previous >>> 8) ^ tables[previous & 0xff]!;
    }
  }
  return tables;
}

function update(tables: Uint32Array, crc: number, bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      tables[768 + (crc & 0xff)]! ^
      tables[512 + ((crc >>> 8) & 0xff)]! ^
      tables[256 + ((crc >>> 16) & 0xff)]! ^
      tables[crc >>> 24]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[i]!) & 0xff]!;
  return crc;
}

const IEEE = sliceTables(0xedb88320);
const CASTAGNOLI = sliceTables(0x82f63b78);

/**
 * CRC-32 of zlib and IEEE 802.3: reflected 0xEDB88320, start and final inversion 0xFFFFFFFF.
 *
 * qdisk blocks, GFS2 directory hashes, resource group and log header checksums and DLM lockspace ids use it.
 */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return ~update(IEEE, -1, bytes, start, end) >>> 0;
}

/** CRC-32C (Castagnoli) with final inversion, as iSCSI digests and VHDX use it. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return ~update(CASTAGNOLI, -1, bytes, start, end) >>> 0;
}

/** CRC-32C with start 0xFFFFFFFF and no final inversion, as GFS2's `lh_crc` uses it. */
export function crc32cRaw(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return update(CASTAGNOLI, -1, bytes, start, end) >>> 0;
}
