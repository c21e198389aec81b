import { latin1 } from '@quorate/kernel';
import { jhash } from './hash.js';
import type { Rsb } from './resource.js';

const NOTHING = new Uint8Array(0);

/** A resource's name as it stands in a message; an object is lent with it, and serves for one message after the other. */
export class NameBytes {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  /** Signed. */
  hash = 0;

  turnTo(bytes: Uint8Array, at: number, end: number): this {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.hash = jhash(bytes, at, end) | 0;
    return this;
  }

  equals(name: string): boolean {
    if (name.length !== this.#end - this.#at) return false;
    for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== this.#bytes[this.#at + i]) return false;
    return true;
  }

  toString(): string {
    return latin1(this.#bytes, this.#at, this.#end);
  }
}

const FEWEST_BUCKETS = 1024;

/**
 * The resources of a lockspace, in the order in which they were first used.
 *
 * Callers have names as strings, messages as bytes: of those no string is made to look a resource up. That table is the
 * original's, buckets by the hash (`ls_rsbtbl`), but that it grows.
 */
export class ResourceTable {
  readonly #byName = new Map<string, Rsb>();
  #buckets = newBuckets(FEWEST_BUCKETS);

  get size(): number {
    return this.#byName.size;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get(name: string): Rsb | undefined {
    return this.#byName.get(name);
  }

  find(name: NameBytes): Rsb | undefined {
    let r = this.#buckets[name.hash & (this.#buckets.length - 1)];
    while (r !== undefined && !(r.hash === name.hash && name.equals(r.name))) r = r.nextInBucket;
    return r;
  }

  /** Its name has to be new. */
  add(r: Rsb): void {
    this.#byName.set(r.name, r);
    if (this.size > this.#buckets.length) this.#grow();
    else this.#link(r);
  }

  delete(r: Rsb): void {
    if (!this.#byName.delete(r.name)) return;
    const bucket = r.hash & (this.#buckets.length - 1);
    let before = this.#buckets[bucket];
    if (before === r) this.#buckets[bucket] = r.nextInBucket;
    else {
      while (before !== undefined && before.nextInBucket !== r) before = before.nextInBucket;
      if (before !== undefined) before.nextInBucket = r.nextInBucket;
    }
    r.nextInBucket = undefined;
  }

  values(): IterableIterator<Rsb> {
    return this.#byName.values();
  }

  /** As `values`, for loops over very many: recovery runs once, and what is not compiled makes an object for each step of an iterator. */
  forEach(call: (r: Rsb) => void): void {
    this.#byName.forEach(call);
  }

  #link(r: Rsb): void {
    const bucket = r.hash & (this.#buckets.length - 1);
    r.nextInBucket = this.#buckets[bucket];
    this.#buckets[bucket] = r;
  }

  #grow(): void {
    this.#buckets = newBuckets(2 * this.#buckets.length);
    for (const r of this.#byName.values()) this.#link(r);
  }
}

function newBuckets(count: number): (Rsb | undefined)[] {
  return Array<Rsb | undefined>(count).fill(undefined);
}
