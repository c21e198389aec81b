import { type Errno, HighWater, type ScsiReply } from '@quorate/kernel';
import { read10, SenseKey, Status, senseOf, synchronizeCache10, write10 } from '@quorate/scsi';

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
  readonly kind: 'io';
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
/** As the Linux disk driver: a transfer is tried this often before its error reaches the file system. */
const ATTEMPTS = 5;

/**
 * The node's disk driver: turns block transfers into SCSI commands and commands' ends into transfers' ends.
 *
 * A unit attention or a full task set is retried; a reservation conflict, a medium error, a path that is gone and blocks
 * behind the end of the device are `EIO`.
 */
export class Disks {
  readonly #devices = new Map<string, BlockDevice>();
  readonly #pending = new Map<number, Transfer | PassThrough>();
  readonly #emit: (command: DiskCommand) => void;
  readonly #onLonger: (underWay: number) => void;
  readonly #mark = new HighWater();
  #lastTag = 0;

  constructor(
    devices: readonly BlockDevice[],
    emit: (command: DiskCommand) => void,
    onLonger: (underWay: number) => void = () => {},
  ) {
    for (const device of devices) {
      for (const path of [device.path, ...(device.aliases ?? [])]) this.#devices.set(path, device);
    }
    this.#emit = emit;
    this.#onLonger = onLonger;
  }

  device(path: string): BlockDevice | undefined {
    return this.#devices.get(path);
  }

  devices(): readonly BlockDevice[] {
    return [...new Set(this.#devices.values())];
  }

  /** Reads `blocks` 512-byte blocks from block `at` of the device. */
  read(device: BlockDevice, at: number, blocks: number, owner: TransferOwner, id: number): void {
    if (!isInside(device, at, blocks)) return owner.transferDone(id, NOTHING, 'EIO');
    this.#send(newTransfer(device, read10(device.start + at, blocks), NOTHING, owner, id));
  }

  write(device: BlockDevice, at: number, data: Uint8Array, owner: TransferOwner, id: number): void {
    const blocks = data.length / 512;
    if (!isInside(device, at, blocks)) return owner.transferDone(id, NOTHING, 'EIO');
    // Kept for another attempt, which a unit attention asks for after the caller's bytes are gone.
    this.#send(newTransfer(device, write10(device.start + at, blocks), data.slice(), owner, id));
  }

  flush(device: BlockDevice, owner: TransferOwner, id: number): void {
    this.#send(newTransfer(device, synchronizeCache10(0, 0), NOTHING, owner, id));
  }

  /** Sends a command as it is and gives back whatever the disk answers. */
  passThrough(device: BlockDevice, cdb: Uint8Array, data: Uint8Array, done: (reply: ScsiReply) => void): void {
    const tag = this.#nextTag();
    this.#pending.set(tag, { kind: 'pass-through', done });
    this.#emit({ kind: 'io', tag, lun: device.lun, cdb, data });
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

  #send(transfer: Transfer): void {
    transfer.attempts += 1;
    const tag = this.#nextTag();
    this.#pending.set(tag, transfer);
    if (this.#mark.rises(this.#pending.size)) this.#onLonger(this.#pending.size);
    this.#emit({ kind: 'io', tag, lun: transfer.lun, cdb: transfer.cdb, data: transfer.data });
  }

  #nextTag(): number {
    this.#lastTag = (this.#lastTag + 1) >>> 0;
    return this.#lastTag;
  }
}

function newTransfer(
  device: BlockDevice,
  cdb: Uint8Array,
  data: Uint8Array,
  owner: TransferOwner,
  id: number,
): Transfer {
  return { kind: 'transfer', owner, id, lun: device.lun, cdb, data, attempts: 0 };
}

/** A damaged file system may point anywhere. */
function isInside(device: BlockDevice, at: number, blocks: number): boolean {
  return at >= 0 && at + blocks <= device.blocks;
}

function isTransient(status: number, sense: Uint8Array): boolean {
  if (status === Status.busy || status === Status.taskSetFull) return true;
  return status === Status.checkCondition && senseOf(sense)?.key === SenseKey.unitAttention;
}
