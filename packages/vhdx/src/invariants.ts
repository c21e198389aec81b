import { defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type {
  BatMovedFact,
  BlockFreedFact,
  BlockPlacedFact,
  FlushedFact,
  HeaderWrittenFact,
  LogWrittenFact,
  OpenedFact,
  PayloadWrittenFact,
  SectorWrittenFact,
  VhdxFact,
} from './facts.js';
import type { Guid } from './guid.js';
import { MIB } from './units.js';

/** A check of one image; a set of them watches each image by itself. */
interface ImageCheck<F extends VhdxFact> {
  observe(fact: Stamped<F>, verdict: Verdict): void;
}

/** Starts a check for each image that facts speak of. */
class ByImage<F extends VhdxFact> {
  readonly #start: () => ImageCheck<F>;
  readonly #checks = new Map<Guid, ImageCheck<F>>();

  constructor(start: () => ImageCheck<F>) {
    this.#start = start;
  }

  observe(fact: Stamped<F>, verdict: Verdict): void {
    let check = fact.kind === 'vhdx.opened' ? undefined : this.#checks.get(fact.image);
    if (check === undefined) {
      check = this.#start();
      this.#checks.set(fact.image, check);
    }
    check.observe(fact, verdict);
  }
}

type RoomFact = OpenedFact | BlockPlacedFact | BlockFreedFact | BatMovedFact;

class OwnRoom {
  #blockSize = MIB;
  /** Who owns each MiB of the file. */
  readonly #owners = new Map<number, string>();

  observe(fact: Stamped<RoomFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'vhdx.opened':
        this.#blockSize = fact.blockSize;
        for (const { offset, length } of fact.structures) this.#take('a structure', offset, length, verdict);
        return;
      case 'vhdx.block-placed':
        return this.#take(`block ${fact.block}`, fact.offset, this.#blockSize, verdict);
      case 'vhdx.block-freed':
        return this.#free(fact.offset, this.#blockSize);
      case 'vhdx.bat-moved':
        this.#free(fact.from.offset, fact.from.length);
        return this.#take('the BAT', fact.to.offset, fact.to.length, verdict);
    }
  }

  #free(offset: number, length: number): void {
    for (let at = 0; at < length; at += MIB) this.#owners.delete((offset + at) / MIB);
  }

  #take(owner: string, offset: number, length: number, verdict: Verdict): void {
    if (offset % MIB !== 0) verdict.violate(`${owner} at byte ${offset}, expected a multiple of 1 MiB`, []);
    for (let mib = Math.floor(offset / MIB); mib < (offset + length) / MIB; mib++) {
      const other = this.#owners.get(mib);
      if (other !== undefined && other !== owner) verdict.violate(`${owner} and ${other} both have MiB ${mib}`, []);
      this.#owners.set(mib, owner);
    }
  }
}

type LogFirstFact = OpenedFact | LogWrittenFact | SectorWrittenFact | FlushedFact;

class LogFirst {
  /** Sectors of the last entry, once that is durable. */
  #logged = new Set<number>();
  #waiting: readonly number[] | undefined;

  observe(fact: Stamped<LogFirstFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'vhdx.opened':
        return;
      case 'vhdx.log-written':
        this.#waiting = fact.sectors;
        return;
      case 'vhdx.flushed':
        if (this.#waiting !== undefined) this.#logged = new Set(this.#waiting);
        this.#waiting = undefined;
        return;
      case 'vhdx.sector-written':
        if (this.#waiting === undefined && this.#logged.has(fact.offset)) return;
        verdict.violate(`the sector at byte ${fact.offset} is written before a durable log entry has it`, []);
    }
  }
}

type PayloadFirstFact = OpenedFact | PayloadWrittenFact | LogWrittenFact | SectorWrittenFact | FlushedFact;

class PayloadFirst {
  /** Whether anything was written in place since the last flush, and where. */
  #unflushed: number | undefined;

  observe(fact: Stamped<PayloadFirstFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'vhdx.opened':
        return;
      case 'vhdx.payload-written':
      case 'vhdx.sector-written':
        this.#unflushed ??= fact.offset;
        return;
      case 'vhdx.flushed':
        this.#unflushed = undefined;
        return;
      case 'vhdx.log-written':
        if (this.#unflushed === undefined) return;
        verdict.violate(`log entry ${fact.sequence} is written while byte ${this.#unflushed} waits for a flush`, []);
    }
  }
}

type HeaderFact = OpenedFact | HeaderWrittenFact | FlushedFact;

class HeaderTurns {
  #last: HeaderWrittenFact | undefined;
  #isFlushed = true;

  observe(fact: Stamped<HeaderFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'vhdx.opened':
        return;
      case 'vhdx.flushed':
        this.#isFlushed = true;
        return;
      case 'vhdx.header-written':
        this.#onHeader(fact, verdict);
    }
  }

  #onHeader(fact: HeaderWrittenFact, verdict: Verdict): void {
    const last = this.#last;
    if (!this.#isFlushed) verdict.violate(`header ${fact.copy} is written before the other one is durable`, []);
    if (last?.copy === fact.copy) verdict.violate(`header ${fact.copy} is written twice in a row`, []);
    if (last !== undefined && BigInt(fact.sequence) !== BigInt(last.sequence) + 1n) {
      verdict.violate(`header sequence number ${fact.sequence} after ${last.sequence}`, []);
    }
    this.#last = fact;
    this.#isFlushed = false;
  }
}

type ReuseFact = OpenedFact | BlockFreedFact | BlockPlacedFact | SectorWrittenFact;

class ReuseAfterCommit {
  /** Places that were given back since the last time the BAT was written. */
  readonly #freed = new Map<number, number>();

  observe(fact: Stamped<ReuseFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'vhdx.opened':
        return;
      case 'vhdx.block-freed':
        this.#freed.set(fact.offset, fact.block);
        return;
      case 'vhdx.sector-written':
        this.#freed.clear();
        return;
      case 'vhdx.block-placed': {
        const owner = this.#freed.get(fact.offset);
        if (owner === undefined) return;
        verdict.violate(`block ${fact.block} takes the room of block ${owner} before the BAT gives it up`, []);
      }
    }
  }
}

/** What must never be observed of an image that is written. Nodes have no part in it: violations name none. */
export const invariants: readonly Invariant[] = [
  defineInvariant<RoomFact>({
    id: 'vhdx.V1',
    name: 'own-room',
    statement: 'headers, log, regions and payload blocks have room of their own, in whole MiB',
    kinds: ['vhdx.opened', 'vhdx.block-placed', 'vhdx.block-freed', 'vhdx.bat-moved'],
    start: () => new ByImage<RoomFact>(() => new OwnRoom()),
  }),
  defineInvariant<LogFirstFact>({
    id: 'vhdx.V2',
    name: 'log-first',
    statement: 'BAT, metadata and region tables are written in place only when a durable log entry has the same sector',
    kinds: ['vhdx.opened', 'vhdx.log-written', 'vhdx.sector-written', 'vhdx.flushed'],
    start: () => new ByImage<LogFirstFact>(() => new LogFirst()),
  }),
  defineInvariant<PayloadFirstFact>({
    id: 'vhdx.V3',
    name: 'payload-first',
    statement:
      'a log entry is written only when all payload, and what the entry before it changed in place, is durable',
    kinds: ['vhdx.opened', 'vhdx.payload-written', 'vhdx.sector-written', 'vhdx.log-written', 'vhdx.flushed'],
    start: () => new ByImage<PayloadFirstFact>(() => new PayloadFirst()),
  }),
  defineInvariant<HeaderFact>({
    id: 'vhdx.V4',
    name: 'header-turns',
    statement: 'the two headers are written in turn, each durable before the next, the sequence number one higher',
    kinds: ['vhdx.opened', 'vhdx.header-written', 'vhdx.flushed'],
    start: () => new ByImage<HeaderFact>(() => new HeaderTurns()),
  }),
  defineInvariant<ReuseFact>({
    id: 'vhdx.V5',
    name: 'reuse-after-commit',
    statement: 'room that a block gave back goes to another one only when the BAT in the file has given it up',
    kinds: ['vhdx.opened', 'vhdx.block-freed', 'vhdx.block-placed', 'vhdx.sector-written'],
    start: () => new ByImage<ReuseFact>(() => new ReuseAfterCommit()),
  }),
];
