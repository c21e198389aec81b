import { type ByteWriter, getU64, viewOf } from '@quorate/kernel';
import type { RingId } from '../ring-id.js';
import { encodeServiceHeader, SERVICE_HEADER_BYTES, type ServiceMessage } from './service-message.js';

/** Most services, `SERVICES_COUNT_MAX` of the sync service. */
const MAX_SERVICES = 128;
const BARRIER = 0;
const SERVICE_BUILD = 1;
const BARRIER_BYTES = 32;
const SERVICE_BUILD_BYTES = 40 + 4 * MAX_SERVICES;

/** A message of group `sync`. */
export type SyncMessage =
  | { readonly kind: 'barrier'; readonly ring: RingId }
  /** The services that its sender wants to synchronise. */
  | { readonly kind: 'service-build'; readonly ring: RingId; readonly services: readonly number[] };

/**
 * Reads a message of group `sync`; undefined if it is none.
 *
 * offset size field
 *      0   16 header      id 0 barrier, size 32; id 1 service build, size 552
 *     16   12 ring id
 *     28    4 –
 *     32    4 count       service build only, as what follows
 *     36    4 –
 *     40  512 service ids, i32 each, unused 0
 *
 * Source: corosync exec/sync.c.
 */
export function decodeSyncMessage(message: ServiceMessage): SyncMessage | undefined {
  const { littleEndian } = message;
  const view = viewOf(message.bytes);
  if (view.byteLength < BARRIER_BYTES) return undefined;
  const ring = {
    representative: view.getUint32(SERVICE_HEADER_BYTES, littleEndian),
    seq: getU64(view, SERVICE_HEADER_BYTES + 4, littleEndian),
  };
  if (message.id === BARRIER) return { kind: 'barrier', ring };
  if (message.id !== SERVICE_BUILD || view.byteLength < SERVICE_BUILD_BYTES) return undefined;
  const count = view.getUint32(32, littleEndian);
  if (count > MAX_SERVICES) return undefined;
  const services: number[] = [];
  for (let i = 0; i < count; i++) services.push(view.getUint32(40 + 4 * i, littleEndian));
  return { kind: 'service-build', ring, services };
}

export function encodeBarrier(to: ByteWriter, ring: RingId): Uint8Array {
  return encodeServiceHeader(to, BARRIER, BARRIER_BYTES).u32(ring.representative).u64(ring.seq).u32(0).bytes();
}

export function encodeServiceBuild(to: ByteWriter, ring: RingId, services: readonly number[]): Uint8Array {
  encodeServiceHeader(to, SERVICE_BUILD, SERVICE_BUILD_BYTES).u32(ring.representative).u64(ring.seq).u32(0);
  to.u32(services.length).u32(0);
  for (const service of services) to.u32(service);
  return to.zeros(4 * (MAX_SERVICES - services.length)).bytes();
}
