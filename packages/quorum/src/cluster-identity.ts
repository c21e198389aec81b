import { utf8Bytes } from '@quorate/kernel';

const FNV_32_INIT = 0x811c9dc5;
const FNV_32_PRIME = 0x01000193;

/**
 * The 16-bit cluster id that follows from a cluster's name.
 *
 * With `hash_cluster_id="yes"`: the 32-bit FNV-1a hash, its halves XORed. Otherwise each character is added to twice
 * the sum so far, and the low 16 bits are kept. "my-cluster" is 25554 with the hash and 40372 without.
 *
 * Source: cman/daemon/fnvhash.c; cman/daemon/cman-preconfig.c, `generate_cluster_id`.
 */
export function clusterIdOf(name: string, isHashed: boolean): number {
  return isHashed ? fnvHash(utf8Bytes(name)) : generateClusterId(utf8Bytes(name));
}

function fnvHash(bytes: Uint8Array): number {
  let hash = FNV_32_INIT;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_32_PRIME);
  return (hash >>> 16) ^ (hash & 0xffff);
}

function generateClusterId(bytes: Uint8Array): number {
  let value = 0;
  // C's char is signed on x86_64.
  for (const byte of bytes) value = ((value << 1) + ((byte << 24) >> 24)) & 0xffff;
  return value;
}

/**
 * The IPv4 multicast address that follows from a cluster id: 239.192.99.54 for 25554.
 *
 * The last number is the id modulo 255, not its low byte: the original divides by `0xFF`, and every cluster that was
 * ever set up listens there.
 */
export function multicastAddressOf(clusterId: number): string {
  return `239.192.${clusterId >> 8}.${clusterId % 0xff}`;
}

/** The IPv6 multicast address that follows from a cluster id: ff15::63d2 for 25554. */
export function multicastAddress6Of(clusterId: number): string {
  return `ff15::${clusterId.toString(16)}`;
}
