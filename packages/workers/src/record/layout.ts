/**
 * A recording of a run in real time. Little-endian.
 *
 * offset size field
 *      0    8 magic   "QRRECRD1"
 *      8    4 length  H, of the header
 *     12    4 crc     CRC-32C of the header
 *     16    H header  MessagePack map: `RecordingHeader`
 *
 * then chunks:
 *
 *      0    1 kind    1 inputs, 2 outputs, 3 end
 *      1    1 part    its place in the header's list; 0 for the end
 *      2    2 –       zero
 *      4    4 length
 *      8    4 crc     CRC-32C of the data
 *     12    – data    MessagePack documents, one after another
 *
 * inputs: `[at, input]`; outputs: `[at, kind, size, digest]`, see `OutputMark`; the end, once and last: a map `RecordingEnd`.
 * Chunks of one part follow each other in the order of its time. The instants are
 * cluster time in ns; of a machine, as its own clock shows it.
 */
export const MAGIC = 'QRRECRD1';
export const HEAD_BYTES = 16;
export const CHUNK_HEAD_BYTES = 12;
export const ChunkKind = { inputs: 1, outputs: 2, end: 3 } as const;
