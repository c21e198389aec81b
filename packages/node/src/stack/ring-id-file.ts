import { getU64, setU64, viewOf } from '@quorate/kernel';

/**
 * Where a node keeps the sequence of its ring over restarts, and what is in it: 8 bytes, little-endian. `address` is the ring address.
 *
 * Source: corosync 1.4 exec/totemsrp.c, `memb_ring_id_create_or_load` and `memb_ring_id_store`.
 */
export function ringIdFile(address: string, seq: number): { readonly path: string; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(8);
  setU64(viewOf(bytes), 0, seq, true);
  return { path: ringIdPath(address), bytes };
}

export function ringIdPath(address: string): string {
  return `/var/lib/corosync/ringid_${address}`;
}

/** The sequence in the file; 0 when it is of another size. */
export function readRingId(bytes: Uint8Array): number {
  return bytes.length === 8 ? getU64(viewOf(bytes), 0, true) : 0;
}
