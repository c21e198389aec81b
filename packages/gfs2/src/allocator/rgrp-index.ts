import { RDF, type Rgrp } from './rgrp.js';

/** The resource groups of a file system in the order of their addresses. */
export class RgrpIndex<R extends Rgrp = Rgrp> {
  readonly all: readonly R[];
  readonly #positions: ReadonlyMap<Rgrp, number>;

  /** The groups must be in the order of their addresses, as in `rindex`. */
  constructor(rgrps: readonly R[]) {
    this.all = rgrps;
    this.#positions = new Map(rgrps.map((rgrp, i) => [rgrp, i]));
  }

  /** The group that has a data block of that number, or with it in its header or bitmap; undefined outside all. */
  find(block: number): R | undefined {
    let low = 0;
    for (let high = this.all.length; low < high; ) {
      const middle = (low + high) >> 1;
      const rgrp = this.all[middle]!;
      if (rgrp.contains(block)) return rgrp;
      if (block < rgrp.addr) high = middle;
      else low = middle + 1;
    }
    return undefined;
  }

  /** The group itself if it is one of these. */
  own(rgrp: Rgrp | undefined): R | undefined {
    const position = rgrp === undefined ? undefined : this.#positions.get(rgrp);
    return position === undefined ? undefined : this.all[position];
  }

  /** The next group round the ring. */
  next(rgrp: R): R {
    const position = this.#positions.get(rgrp) ?? -1;
    return this.all[(position + 1) % this.all.length]!;
  }

  /**
   * Has the node with journal `jid` of `journals` prefer every `journals`th group, so that nodes allocate apart from each
   * other (`set_rgrp_preferences`).
   */
  prefer(jid: number, journals: number): void {
    for (const [i, rgrp] of this.all.entries()) {
      const isMine = i % journals === jid;
      rgrp.flags = (isMine ? rgrp.flags | RDF.PREFERRED : rgrp.flags & ~RDF.PREFERRED) >>> 0;
    }
  }
}
