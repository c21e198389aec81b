import type { Errno, ScsiReply } from '@quorate/kernel';

/** A block device of the node: a whole SCSI disk, a partition of it, or a linear volume on it. */
export interface BlockDevice {
  /** `/dev/sdb`, `/dev/sdc1`, `/dev/mapper/my--vg1-my--store1`. */
  readonly path: string;
  /** Further names of the same device, as in `/dev/block/8:33`. */
  readonly aliases?: readonly string[];
  readonly lun: number;
  /** First 512-byte block on the disk. */
  readonly start: number;
  /** Length in 512-byte blocks. */
  readonly blocks: number;
}

/** Who gets the completion of a block transfer. */
export interface TransferOwner {
  /** `data` is lent; empty unless it was a read that succeeded. */
  transferDone(id: number, data: Uint8Array, error: Errno | undefined): void;
}

/** A command on its way to a disk: emitted by the node. */
export interface DiskCommand {
  readonly tag: number;
  readonly lun: number;
  readonly cdb: Uint8Array;
  readonly data: Uint8Array;
}

interface Transfer {
  readonly kind: 'transfer';
  readonly owner: TransferOwner;
  readonly id: number;
  readonly lun: number;
  readonly cdb: Uint8Array;
  readonly data: Uint8Array;
  attempts: number;
}

interface PassThrough {
  readonly kind: 'pass-through';
  readonly done: (reply: ScsiReply) => void;
}

const NOTHING = new Uint8Array(0);
const CHECK_CONDITION = 0x02;
const BUSY = 0x08;
const TASK_SET_FULL = 0x28;
const UNIT_ATTENTION = 6;
/** As the Linux disk driver: a transfer is tried this often before its error reaches the file system. */
const ATTEMPTS = 5;

/** READ(10), WRITE(10) or SYNCHRONIZE CACHE(10), by their operation code. */
function transferCdb(opcode: 0x28 | 0x2a | 0x35, lba: number, blocks: number): Uint8Array {
  const cdb = new Uint8Array(10);
  cdb[0] = opcode;
  cdb[2] = lba >>> 24;
  cdb[3] = lba >>> 16;
  cdb[4] = lba >>> 8;
  cdb[5] = lba;
  cdb[7] = blocks >>> 8;
  cdb[8] = blocks;
  return cdb;
}

/**
 * The node's disk driver: turns block transfers into SCSI commands and commands' ends into transfers' ends.
 *
 * A unit attention or a full task set is retried, a reservation conflict or a medium error is `EIO`.
 */
export class Disks {
  readonly #devices = new Map<string, BlockDevice>();
  readonly #pending = new Map<number, Transfer | PassThrough>();
  readonly #emit: (command: DiskCommand) => void;
  #lastTag = 0;

  constructor(devices: readonly BlockDevice[], emit: (command: DiskCommand) => void) {
    for (const device of devices) {
      for (const path of [device.path, ...(device.aliases ?? [])]) this.#devices.set(path, device);
    }
    this.#emit = emit;
  }

  device(path: string): BlockDevice | undefined {
    return this.#devices.get(path);
  }

  /** Commands that have not ended. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Reads `blocks` 512-byte blocks from block `at` of the device. */
  read(device: BlockDevice, at: number, blocks: number, owner: TransferOwner, id: number): void {
    this.#transfer(device, 0x28, at, blocks, NOTHING, owner, id);
  }

  write(device: BlockDevice, at: number, data: Uint8Array, owner: TransferOwner, id: number): void {
    this.#transfer(device, 0x2a, at, data.length / 512, data, owner, id);
  }

  flush(device: BlockDevice, owner: TransferOwner, id: number): void {
    this.#transfer(device, 0x35, 0, 0, NOTHING, owner, id);
  }

  /** Sends a command as it is and gives back whatever the disk answers. */
  passThrough(device: BlockDevice, cdb: Uint8Array, data: Uint8Array, done: (reply: ScsiReply) => void): void {
    const tag = this.#nextTag();
    this.#pending.set(tag, { kind: 'pass-through', done });
    this.#emit({ tag, lun: device.lun, cdb, data });
  }

  onDone(tag: number, status: number, sense: Uint8Array, data: Uint8Array): void {
    const pending = this.#pending.get(tag);
    if (pending === undefined) return;
    this.#pending.delete(tag);
    if (pending.kind === 'pass-through') return pending.done({ status, sense, data });
    if (status === 0) return pending.owner.transferDone(pending.id, data, undefined);
    if (pending.attempts < ATTEMPTS && isTransient(status, sense)) return this.#send(pending);
    pending.owner.transferDone(pending.id, NOTHING, 'EIO');
  }

  #transfer(
    device: BlockDevice,
    opcode: 0x28 | 0x2a | 0x35,
    at: number,
    blocks: number,
    data: Uint8Array,
    owner: TransferOwner,
    id: number,
  ): void {
    if (at + blocks > device.blocks) throw new RangeError(`block ${at} + ${blocks} of ${device.path} is past its end`);
    const cdb = transferCdb(opcode, opcode === 0x35 ? 0 : device.start + at, blocks);
    // Kept for another attempt, which a unit attention asks for after the caller's bytes are gone.
    const kept = data.length === 0 ? NOTHING : data.slice();
    this.#send({ kind: 'transfer', owner, id, lun: device.lun, cdb, data: kept, attempts: 0 });
  }

  #send(transfer: Transfer): void {
    transfer.attempts += 1;
    const tag = this.#nextTag();
    this.#pending.set(tag, transfer);
    this.#emit({ tag, lun: transfer.lun, cdb: transfer.cdb, data: transfer.data });
  }

  #nextTag(): number {
    this.#lastTag = (this.#lastTag + 1) >>> 0;
    return this.#lastTag;
  }
}

function isTransient(status: number, sense: Uint8Array): boolean {
  if (status === BUSY || status === TASK_SET_FULL) return true;
  if (status !== CHECK_CONDITION || sense.length < 3) return false;
  const isDescriptor = (sense[0]! & 0x7e) === 0x72;
  return ((isDescriptor ? sense[1]! : sense[2]!) & 0x0f) === UNIT_ATTENTION;
}
