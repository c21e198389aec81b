import { defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { CapacityChangedFact, ReadFact, StoreFaultFact, WrittenFact } from './facts.js';

/** What is known of a block: the digest of its content, and whether a declared fault stands between it and its reader. */
interface Known {
  digest: number | undefined;
  /** A fault lies over it until it is written; `by-this-write` when the write that is being told was lost itself. */
  fault: 'none' | 'by-this-write' | 'until-written';
}

type ContentFact = WrittenFact | ReadFact | StoreFaultFact | CapacityChangedFact;

class DiskDurable {
  /** By logical unit and block. */
  readonly #units = new Map<number, Map<number, Known>>();

  observe(fact: Stamped<ContentFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'scsi.store-fault':
        return this.#onFault(fact);
      case 'scsi.written':
        return this.#onWritten(fact);
      case 'scsi.read':
        return this.#onRead(fact, verdict);
      case 'scsi.capacity-changed':
        return this.#onCapacityChanged(fact);
    }
  }

  #onCapacityChanged({ lun, blocks }: CapacityChangedFact): void {
    const unit = this.#units.get(lun);
    for (const block of unit?.keys() ?? []) if (block >= blocks) unit!.delete(block);
  }

  #onFault({ lun, lba, blocks, fault }: StoreFaultFact): void {
    for (let i = 0; i < blocks; i++) {
      const known = this.#blockOf(lun, lba + i);
      const isByWrite = fault === 'lost' || fault === 'stale' || known.fault === 'by-this-write';
      known.fault = isByWrite ? 'by-this-write' : 'until-written';
    }
  }

  /** Without a digest for each block all of them hold the same; without any, nobody tells the content. */
  #onWritten({ lun, lba, blocks, digests }: WrittenFact): void {
    if (digests === undefined) return;
    if (digests.length === 1 && blocks > 1) return this.#onFilled(lun, lba, blocks, digests[0]!);
    digests.forEach((digest, i) => {
      written(this.#blockOf(lun, lba + i), digest);
    });
  }

  /** Of a range that may be the whole unit only the blocks that are known matter. */
  #onFilled(lun: number, lba: number, blocks: number, digest: number): void {
    for (const [block, known] of this.#units.get(lun) ?? []) {
      if (block >= lba && block < lba + blocks) written(known, digest);
    }
  }

  #onRead({ lun, nexus, lba, digests }: ReadFact, verdict: Verdict): void {
    digests.forEach((digest, i) => {
      const known = this.#blockOf(lun, lba + i);
      if (known.fault !== 'none') return;
      if (known.digest !== undefined && known.digest !== digest) {
        const found = `found ${hex8(digest)}, written was ${hex8(known.digest)}`;
        verdict.violate(`block ${lba + i} of LUN ${lun} is not what was written last: ${found}`, [nexus]);
      }
      known.digest = digest;
    });
  }

  #blockOf(lun: number, lba: number): Known {
    let unit = this.#units.get(lun);
    if (unit === undefined) {
      unit = new Map();
      this.#units.set(lun, unit);
    }
    let known = unit.get(lba);
    if (known === undefined) {
      known = { digest: undefined, fault: 'none' };
      unit.set(lba, known);
    }
    return known;
  }
}

function written(known: Known, digest: number): void {
  known.digest = digest;
  known.fault = known.fault === 'by-this-write' ? 'until-written' : 'none';
}

function hex8(digest: number): string {
  return digest.toString(16).padStart(8, '0');
}

/**
 * S17, for logical units that tell their content (`LogicalUnitConfig.tellsContent`). A write is on the medium when its fact
 * is told, before its GOOD: the cache writes through. Blocks under a declared fault (`scsi.store-fault`) are left out.
 */
export const DISK_DURABLE: Invariant = defineInvariant<ContentFact>({
  id: 'S17',
  name: 'disk-durable',
  statement: 'what was written last is read back, unless a fault of the disk was declared for the block',
  kinds: ['scsi.written', 'scsi.read', 'scsi.store-fault', 'scsi.capacity-changed'],
  start: () => new DiskDurable(),
});
