/** Where the blocks of one journal lie on the device. */
export class JournalMap {
  readonly jid: number;
  /** The journal's dinode. */
  readonly inode: number;
  /** Blocks of the journal. */
  readonly blocks: number;
  readonly #extents: readonly Extent[];

  /** `addresses[i]` is the device block of journal block i. */
  constructor(jid: number, inode: number, addresses: readonly number[]) {
    this.jid = jid;
    this.inode = inode;
    this.blocks = addresses.length;
    this.#extents = extentsOf(addresses);
  }

  get extentCount(): number {
    return this.#extents.length;
  }

  /** Device block of a journal block. */
  addressOf(blkno: number): number {
    const extent = this.#extentOf(blkno);
    return extent.address + blkno - extent.start;
  }

  /** How many blocks from `blkno` on lie side by side on the device, at most `most`. */
  runAt(blkno: number, most: number): number {
    const extent = this.#extentOf(blkno);
    return Math.min(most, extent.start + extent.count - blkno);
  }

  #extentOf(blkno: number): Extent {
    for (const extent of this.#extents) if (blkno < extent.start + extent.count) return extent;
    throw new RangeError(`journal ${this.jid} has no block ${blkno}`);
  }
}

interface Extent {
  readonly start: number;
  readonly address: number;
  count: number;
}

function extentsOf(addresses: readonly number[]): Extent[] {
  const extents: Extent[] = [];
  addresses.forEach((address, start) => {
    const last = extents.at(-1);
    if (last !== undefined && last.address + last.count === address) last.count += 1;
    else extents.push({ start, address, count: 1 });
  });
  return extents;
}
