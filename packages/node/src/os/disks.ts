import { type Errno, HighWater, type ScsiReply } from '@quorate/kernel';
import { read10, SenseKey, Status, senseOf, synchronizeCache10, write10 } from '@quorate/scsi';
import { JoinedTransfer } from './joined-transfer.js';

/** A run of 512-byte blocks on a disk. */
export interface Extent {
  readonly lun: number;
  /** First 512-byte block on the disk. */
  readonly start: number;
  /** Length in 512-byte blocks. */
  readonly blocks: number;
}

/**
 * A block device of the node: a whole SCSI disk, a partition of it, or a linear volume.
 *
 * `lun` and `start` say where it begins; it goes on from there to its end, unless it has several extents.
 */
export interface BlockDevice extends Extent {
  /** `/dev/sdb`, `/dev/sdc1`, `/dev/mapper/my--vg1-my--store1`. */
  readonly path: string;
  /** Further names of the same device, as in `/dev/block/8:33`. */
  readonly aliases?: readonly string[];
  /** Of a volume in more than one piece: all of them in order. */
  readonly extents?: readonly Extent[];
}

/** Where a device lies, in the order of its blocks. */
export function extentsOf(device: BlockDevice): readonly Extent[] {
  return device.extents ?? [device];
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

/** A part of a transfer that lies on one disk in one piece. `at` counts from the start of the transfer. */
interface Part extends Extent {
  readonly at: number;
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
  /** Those that were there when the machine came up, with block 0 of their disks. */
  readonly wholeDisks: readonly BlockDevice[];
  readonly #devices = new Map<string, BlockDevice>();
  /** How often devices are open, by their path. */
  readonly #open = new Map<string, number>();
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
    this.wholeDisks = devices.filter(({ start }) => start === 0);
    for (const device of devices) this.add(device);
    this.#emit = emit;
    this.#onLonger = onLonger;
  }

  /** From now on there is this device; another one of the same path is gone. */
  add(device: BlockDevice): void {
    const before = this.#devices.get(device.path);
    if (before !== undefined) this.remove(before);
    for (const path of namesOf(device)) this.#devices.set(path, device);
  }

  /** Transfers that are under way end as if it were still there. */
  remove(device: BlockDevice): void {
    for (const path of namesOf(device)) this.#devices.delete(path);
  }

  /** Somebody uses the device: a mount, or a volume that lies on it. */
  open({ path }: BlockDevice): void {
    this.#open.set(path, this.openCount(path) + 1);
  }

  close({ path }: BlockDevice): void {
    this.#open.set(path, this.openCount(path) - 1);
  }

  openCount(path: string): number {
    return this.#open.get(path) ?? 0;
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
    const { extents } = device;
    if (extents === undefined) return this.#read(device.lun, device.start + at, blocks, owner, id);
    const parts = partsOf(extents, at, blocks);
    const joined = new JoinedTransfer(owner, id, parts.length, new Uint8Array(blocks * 512));
    for (const part of parts) this.#read(part.lun, part.start, part.blocks, joined, part.at * 512);
  }

  write(device: BlockDevice, at: number, data: Uint8Array, owner: TransferOwner, id: number): void {
    const blocks = data.length / 512;
    if (!isInside(device, at, blocks)) return owner.transferDone(id, NOTHING, 'EIO');
    // Kept for another attempt, which a unit attention asks for after the caller's bytes are gone.
    const kept = data.slice();
    const { extents } = device;
    if (extents === undefined) return this.#write(device.lun, device.start + at, kept, owner, id);
    const parts = partsOf(extents, at, blocks);
    const joined = new JoinedTransfer(owner, id, parts.length, NOTHING);
    for (const part of parts) {
      const first = part.at * 512;
      this.#write(part.lun, part.start, kept.subarray(first, first + part.blocks * 512), joined, first);
    }
  }

  flush(device: BlockDevice, owner: TransferOwner, id: number): void {
    const { extents } = device;
    if (extents === undefined) return this.#flush(device.lun, owner, id);
    const luns = new Set(extents.map(({ lun }) => lun));
    const joined = new JoinedTransfer(owner, id, luns.size, NOTHING);
    for (const lun of luns) this.#flush(lun, joined, 0);
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

  #read(lun: number, start: number, blocks: number, owner: TransferOwner, id: number): void {
    this.#send({ kind: 'transfer', owner, id, lun, cdb: read10(start, blocks), data: NOTHING, attempts: 0 });
  }

  #write(lun: number, start: number, data: Uint8Array, owner: TransferOwner, id: number): void {
    this.#send({ kind: 'transfer', owner, id, lun, cdb: write10(start, data.length / 512), data, attempts: 0 });
  }

  #flush(lun: number, owner: TransferOwner, id: number): void {
    this.#send({ kind: 'transfer', owner, id, lun, cdb: synchronizeCache10(0, 0), data: NOTHING, attempts: 0 });
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

function namesOf({ path, aliases = [] }: BlockDevice): readonly string[] {
  return [path, ...aliases];
}

/** A damaged file system may point anywhere. */
function isInside(device: BlockDevice, at: number, blocks: number): boolean {
  return at >= 0 && at + blocks <= device.blocks;
}

function isTransient(status: number, sense: Uint8Array): boolean {
  if (status === Status.busy || status === Status.taskSetFull) return true;
  return status === Status.checkCondition && senseOf(sense)?.key === SenseKey.unitAttention;
}

/** Cuts a transfer where the device goes on somewhere else. */
function partsOf(extents: readonly Extent[], at: number, blocks: number): readonly Part[] {
  const parts: Part[] = [];
  const end = at + blocks;
  let before = 0;
  for (const extent of extents) {
    const from = Math.max(at, before);
    const to = Math.min(end, before + extent.blocks);
    if (from < to)
      parts.push({ lun: extent.lun, start: extent.start + from - before, blocks: to - from, at: from - at });
    before += extent.blocks;
  }
  return parts;
}
