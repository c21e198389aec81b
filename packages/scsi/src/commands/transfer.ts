import { blocksOf } from './cdb-range.js';

/** Which way a command moves data, and how many bytes its CDB asks for. What a unit has to say may be less. */
export interface Transfer {
  readonly direction: 'none' | 'in' | 'out';
  /** By the CDB alone, before anything is checked. */
  bytes(cdb: Uint8Array, blockLength: number): number;
}

export const NO_TRANSFER: Transfer = { direction: 'none', bytes: () => 0 };

/** Data-In of at most the allocation length that stands in `size` bytes at that byte of the CDB. */
export function allocationAt(byte: number, size: 1 | 2 | 4): Transfer {
  return { direction: 'in', bytes: (cdb) => field(cdb, byte, size) };
}

/** Data-In of a length that the standard fixes. */
export function fixedIn(length: number): Transfer {
  return { direction: 'in', bytes: () => length };
}

/** A parameter list, whose length stands in `size` bytes at that byte of the CDB. */
export function parameterListAt(byte: number, size: 1 | 2 | 4): Transfer {
  return { direction: 'out', bytes: (cdb) => field(cdb, byte, size) };
}

export const BLOCKS_IN: Transfer = { direction: 'in', bytes: (cdb, blockLength) => blocksOf(cdb) * blockLength };

export const BLOCKS_OUT: Transfer = { direction: 'out', bytes: (cdb, blockLength) => blocksOf(cdb) * blockLength };

function field(cdb: Uint8Array, byte: number, size: number): number {
  let value = 0;
  for (let i = byte; i < byte + size; i++) value = value * 256 + (cdb[i] ?? 0);
  return value;
}
