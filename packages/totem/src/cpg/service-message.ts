import { type ByteWriter, u32At } from '@quorate/kernel';

export const SERVICE_HEADER_BYTES = 16;

/** Service ids of corosync 3.1. */
export const Service = { cmap: 0, cfg: 1, cpg: 2, quorum: 3, pload: 4, votequorum: 5, mon: 6, watchdog: 7 } as const;

/**
 * A message of a service, after the group prefix.
 *
 * offset size field
 *      0    4 id      group `a`: service << 16 | function; group `sync`: 0 barrier, 1 service build
 *      4    4 –
 *      8    4 size    from here to the end
 *     12    4 –
 *     16      content
 *
 * Nothing says in which byte order it is; the size tells, as it must be the message's.
 *
 * Source: libqb `struct qb_ipc_request_header`; corosync exec/service.h, `SERVICE_ID_MAKE`.
 */
export interface ServiceMessage {
  readonly id: number;
  readonly littleEndian: boolean;
  readonly bytes: Uint8Array;
}

/** Undefined if there is no header, or its size is not the message's in either byte order. Aliases `bytes`. */
export function decodeServiceMessage(bytes: Uint8Array): ServiceMessage | undefined {
  if (bytes.length < SERVICE_HEADER_BYTES) return undefined;
  const littleEndian = u32At(bytes, 8, true) === bytes.length;
  if (!littleEndian && u32At(bytes, 8, false) !== bytes.length) return undefined;
  return { id: u32At(bytes, 0, littleEndian), littleEndian, bytes };
}

/** Starts a message of that size, header included. */
export function encodeServiceHeader(to: ByteWriter, id: number, size: number): ByteWriter {
  return to.reset().u32(id).u32(0).u32(size).u32(0);
}
