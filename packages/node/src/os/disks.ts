import { HighWater, type ScsiReply } from '@quorate/kernel';
import { read10, SenseKey, Status, senseOf, synchronizeCache10, unmap, write10 } from '@quorate/scsi';
import { HostStatus } from './host-status.js';
import { JoinedTransfer } from './joined-transfer.js';
import type { TransferOwner } from './transfer-owner.js';

/** A run of 512-byte blocks on a disk. */
export interface Extent {
  /** Number of the SCSI host that the disk is behind, as in `scsi2`; absent for the one that the shared disks hang on. */
  readonly host?: number;
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

/** Which disk of the machine. */
export type DiskAddress = Pick<Extent, 'host' | 'lun'>;

/** The disk that something lies on. */
export function diskOf({ host, lun }: DiskAddress): DiskAddress {
  return { ...(host !== undefined && { host }), lun };
}

/** Whether both lie on one disk. */
export function isOnSameDisk(a: DiskAddress, b: DiskAddress): boolean {
  return a.host === b.host && a.lun === b.lun;
}

/** A command on its way to a disk. For one of the shared disks it is emitted by the node. */
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
  readonly disk: DiskAddress;
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
/** 512-byte blocks of one UNMAP: what any of the virtual disks takes. */
const UNMAP_BLOCKS = 65_536;

/**
 * The node's disk driver: turns block transfers into SCSI commands and commands' ends into transfers' ends.
 *
 * A unit attention, a full task set, a path that broke meanwhile and a command that timed out are retried; a reservation conflict, a medium error, a path
 * that is gone and blocks behind the end of the device are `EIO`.
 */
export class Disks {
  readonly #wholeDisks: BlockDevice[];
  readonly #devices = new Map<string, BlockDevice>();
  /** How often devices are open, by their path. */
  readonly #open = new Map<string, number>();
  readonly #pending = new Map<number, Transfer | PassThrough>();
  readonly #emit: (command: DiskCommand, host: number | undefined) => void;
  readonly #onLonger: (underWay: number) => void;
  readonly #mark = new HighWater();
  #lastTag = 0;

  /** `emit` gets each command with the number of its SCSI host, which is absent as in `Extent`. */
  constructor(
    devices: readonly BlockDevice[],
    emit: (command: DiskCommand, host: number | undefined) => void,
    onLonger: (underWay: number) => void = () => {},
  ) {
    this.#wholeDisks = devices.filter(({ start }) => start === 0);
    for (const device of devices) this.add(device);
    this.#emit = emit;
    this.#onLonger = onLonger;
  }

  /** Those with block 0 of their disks: that were there when the machine came up, and that came later. */
  get wholeDisks(): readonly BlockDevice[] {
    return this.#wholeDisks;
  }

  /** A disk was found. */
  addDisk(disk: BlockDevice): void {
    this.add(disk);
    this.#wholeDisks.push(disk);
  }

  /** A disk is gone. */
  removeDisk(disk: BlockDevice): void {
    this.remove(disk);
    this.#wholeDisks.splice(this.#wholeDisks.indexOf(disk), 1);
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
    if (extents === undefined) return this.#read(device, device.start + at, blocks, owner, id);
    const parts = partsOf(extents, at, blocks);
    const joined = new JoinedTransfer(owner, id, parts.length, new Uint8Array(blocks * 512));
    for (const part of parts) this.#read(part, part.start, part.blocks, joined, part.at * 512);
  }

  write(device: BlockDevice, at: number, data: Uint8Array, owner: TransferOwner, id: number): void {
    const blocks = data.length / 512;
    if (!isInside(device, at, blocks)) return owner.transferDone(id, NOTHING, 'EIO');
    // Kept for another attempt, which a unit attention asks for after the caller's bytes are gone.
    const kept = data.slice();
    const { extents } = device;
    if (extents === undefined) return this.#write(device, device.start + at, kept, owner, id);
    const parts = partsOf(extents, at, blocks);
    const joined = new JoinedTransfer(owner, id, parts.length, NOTHING);
    for (const part of parts) {
      const first = part.at * 512;
      this.#write(part, part.start, kept.subarray(first, first + part.blocks * 512), joined, first);
    }
  }

  /** UNMAP: what is there is of no use any more. `EOPNOTSUPP` when the disk has no such command. */
  discard(device: BlockDevice, at: number, blocks: number, owner: TransferOwner, id: number): void {
    if (!isInside(device, at, blocks)) return owner.transferDone(id, NOTHING, 'EIO');
    const parts = partsOf(extentsOf(device), at, blocks).flatMap((part) => piecesOf(part, UNMAP_BLOCKS));
    const joined = new JoinedTransfer(owner, id, parts.length, NOTHING);
    for (const part of parts) {
      const { cdb, data } = unmap([{ lba: part.start, blocks: part.blocks }]);
      this.#send({ kind: 'transfer', owner: joined, id: 0, disk: part, cdb, data, attempts: 0 });
    }
  }

  flush(device: BlockDevice, owner: TransferOwner, id: number): void {
    const { extents } = device;
    if (extents === undefined) return this.#flush(device, owner, id);
    const onDisks = extents.filter((extent, i) => extents.findIndex((other) => isOnSameDisk(other, extent)) === i);
    const joined = new JoinedTransfer(owner, id, onDisks.length, NOTHING);
    for (const extent of onDisks) this.#flush(extent, joined, 0);
  }

  /** Sends a command as it is and gives back whatever the disk answers. */
  passThrough(disk: DiskAddress, cdb: Uint8Array, data: Uint8Array, done: (reply: ScsiReply) => void): void {
    const tag = this.#nextTag();
    this.#pending.set(tag, { kind: 'pass-through', done });
    this.#emit({ kind: 'io', tag, lun: disk.lun, cdb, data }, disk.host);
  }

  /** `status` is the disk's, or a `HostStatus`. */
  onDone(tag: number, status: number, sense: Uint8Array, data: Uint8Array): void {
    const pending = this.#pending.get(tag);
    if (pending === undefined) return;
    this.#pending.delete(tag);
    if (pending.kind === 'pass-through') {
      // A program hears that there was no way, however that came.
      return pending.done({ status: Math.max(status, HostStatus.noConnect), sense, data });
    }
    if (status === 0) return pending.owner.transferDone(pending.id, data, undefined);
    if (pending.attempts < ATTEMPTS && isTransient(status, sense)) return this.#send(pending);
    pending.owner.transferDone(pending.id, NOTHING, isUnknownCommand(status, sense) ? 'EOPNOTSUPP' : 'EIO');
  }

  #read(disk: DiskAddress, start: number, blocks: number, owner: TransferOwner, id: number): void {
    this.#send({ kind: 'transfer', owner, id, disk, cdb: read10(start, blocks), data: NOTHING, attempts: 0 });
  }

  #write(disk: DiskAddress, start: number, data: Uint8Array, owner: TransferOwner, id: number): void {
    this.#send({ kind: 'transfer', owner, id, disk, cdb: write10(start, data.length / 512), data, attempts: 0 });
  }

  #flush(disk: DiskAddress, owner: TransferOwner, id: number): void {
    this.#send({ kind: 'transfer', owner, id, disk, cdb: synchronizeCache10(0, 0), data: NOTHING, attempts: 0 });
  }

  #send(transfer: Transfer): void {
    transfer.attempts += 1;
    const tag = this.#nextTag();
    this.#pending.set(tag, transfer);
    if (this.#mark.rises(this.#pending.size)) this.#onLonger(this.#pending.size);
    const { disk, cdb, data } = transfer;
    this.#emit({ kind: 'io', tag, lun: disk.lun, cdb, data }, disk.host);
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

const TRANSIENT: readonly number[] = [
  Status.busy,
  Status.taskSetFull,
  HostStatus.transportDisrupted,
  HostStatus.timedOut,
];

function isTransient(status: number, sense: Uint8Array): boolean {
  if (TRANSIENT.includes(status)) return true;
  return status === Status.checkCondition && senseOf(sense)?.key === SenseKey.unitAttention;
}

function isUnknownCommand(status: number, sense: Uint8Array): boolean {
  return status === Status.checkCondition && senseOf(sense)?.asc === 0x20;
}

function piecesOf(part: Part, most: number): readonly Part[] {
  const pieces: Part[] = [];
  for (let done = 0; done < part.blocks; done += most) {
    const blocks = Math.min(most, part.blocks - done);
    pieces.push({ ...part, start: part.start + done, blocks, at: part.at + done });
  }
  return pieces;
}

/** Cuts a transfer where the device goes on somewhere else. */
function partsOf(extents: readonly Extent[], at: number, blocks: number): readonly Part[] {
  const parts: Part[] = [];
  const end = at + blocks;
  let before = 0;
  for (const extent of extents) {
    const from = Math.max(at, before);
    const to = Math.min(end, before + extent.blocks);
    if (from < to) parts.push({ ...extent, start: extent.start + from - before, blocks: to - from, at: from - at });
    before += extent.blocks;
  }
  return parts;
}
