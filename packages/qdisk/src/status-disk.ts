import type { Nanos, Task } from '@quorate/kernel';
import { MAX_NODES_DISK, type SlotDefect, statusSector } from './block.js';
import { IoState } from './io-nanny.js';
import { emptyMask } from './node-mask.js';
import { SlotReader } from './slot-reader.js';
import { type DiskState, encodeStatus, Message, type StatusBlock } from './status-block.js';
import { WriteTimes } from './write-times.js';

/** How an I/O ended; the data of a read is lent. */
export interface IoResult {
  readonly data: Uint8Array | undefined;
  readonly isOk: boolean;
}

/** What the disk needs of its daemon. */
export interface StatusDiskPort {
  /** Starts an I/O of one sector and gives what to yield for its result, an `IoResult`. */
  io(state: IoState, sector: number, data: Uint8Array | undefined): unknown;
  reject(sector: number, reason: SlotDefect | 'wrong-slot'): void;
  logError(text: string): void;
  /** Clock for spans. */
  clock(): Nanos;
  /** time(2). */
  time(): number;
}

/**
 * The status blocks of a quorum disk, as one daemon reads and writes them: one sector at a time.
 *
 * Source: cluster.git cman/qdisk/disk.c, `qdisk_read`; disk_util.c, `qd_write_status`.
 */
export class StatusDisk {
  readonly #me: number;
  readonly #port: StatusDiskPort;
  readonly #sector: Uint8Array;
  readonly #readers = Array.from({ length: MAX_NODES_DISK }, () => new SlotReader());
  readonly #writeTimes = new WriteTimes();
  readonly #noMask = emptyMask();

  constructor(me: number, sectorSize: number, port: StatusDiskPort) {
    this.#me = me;
    this.#port = port;
    this.#sector = new Uint8Array(sectorSize);
  }

  /**
   * Starts to read the block of a node and gives what to yield for the result that `blockOf` takes.
   *
   * A task of its own for each of 16 slots, every second on every node, would cost more than the reading.
   */
  read(nodeId: number): unknown {
    return this.#port.io(IoState.READ, statusSector(nodeId, this.#sector.length), undefined);
  }

  /** The block that was read; undefined when that failed or it makes no sense. */
  blockOf(nodeId: number, { data, isOk }: IoResult): StatusBlock | undefined {
    if (!isOk || data === undefined) return undefined;
    const sector = statusSector(nodeId, this.#sector.length);
    const status = this.#readers[nodeId - 1]!.read(data);
    if (typeof status === 'string') return this.#reject(sector, status);
    // Differs from the original, which would take the block for the one of the node it names.
    return status.nodeId === nodeId ? status : this.#reject(sector, 'wrong-slot');
  }

  #reject(sector: number, reason: SlotDefect | 'wrong-slot'): undefined {
    this.#port.reject(sector, reason);
  }

  /** A block, ours or a victim's, that says nothing but its state. */
  bareBlock(nodeId: number, state: DiskState, incarnation: string): StatusBlock {
    return {
      updateNode: this.#me,
      timestamp: this.#port.time(),
      nodeId,
      state,
      flags: 0,
      score: 0,
      scoreMax: 0,
      meanWriteMicros: this.#writeTimes.meanMicros,
      lastWriteMicros: this.#writeTimes.lastMicros,
      incarnation,
      message: Message.NONE,
      sequence: 0,
      argument: 0,
      mask: this.#noMask,
      masterMask: this.#noMask,
    };
  }

  /** Writes a block into its node's slot; false when that failed. */
  *write(block: StatusBlock): Task<boolean> {
    const startedAt = this.#port.clock();
    const isWritable = encodeStatus(this.#sector, block);
    const isOk = isWritable && ((yield this.#writeSector(block.nodeId)) as IoResult).isOk;
    if (isOk) this.#writeTimes.add(Math.floor((this.#port.clock() - startedAt) / 1000));
    else this.#port.logError(`Error writing node ID block ${block.nodeId}`);
    return isOk;
  }

  #writeSector(nodeId: number): unknown {
    return this.#port.io(IoState.WRITE, statusSector(nodeId, this.#sector.length), this.#sector);
  }
}
