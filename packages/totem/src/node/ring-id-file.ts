import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeId } from '../ring-id.js';

const SIZE = 8;

/**
 * The file that keeps a node's ring sequence over restarts: `ringid_<node id>` in the state directory, 8 bytes in the
 * host's byte order, which here is little-endian.
 *
 * Source: corosync exec/main.c, `corosync_ring_id_create_or_load` and `corosync_ring_id_store`.
 */
export class RingIdFile {
  readonly path: string;

  constructor(stateDirectory: string, nodeId: NodeId) {
    this.path = join(stateDirectory, `ringid_${nodeId}`);
  }

  /** The stored sequence; 0 when there is no file, or one of another size, which is replaced. */
  load(): number {
    const bytes = this.#read();
    if (bytes?.length === SIZE) return Number(bytes.readBigUInt64LE());
    this.store(0);
    return 0;
  }

  /** On disk when it returns. */
  store(seq: number): void {
    const bytes = Buffer.alloc(SIZE);
    bytes.writeBigUInt64LE(BigInt(seq));
    const file = openSync(this.path, 'w', 0o600);
    try {
      writeSync(file, bytes);
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  #read(): Buffer | undefined {
    try {
      return readFileSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
