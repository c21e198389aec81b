import type { Nanos } from '@quorate/kernel';
import type { AnyFact } from '../../lab.js';

interface View {
  readonly isQuorate: boolean;
  readonly members: readonly number[];
  readonly at: Nanos;
}

/** Who is quorate, and with whom, as each node told last. */
export class QuorumWatch {
  readonly #views = new Map<number, View>();
  /** How long two sides were quorate that share no member, and since when they are; `undefined` when they are not. */
  #split: Nanos = 0;
  #splitSince: Nanos | undefined;

  hear(fact: AnyFact): void {
    if (fact.kind === 'node.state' && fact.state !== 'up') this.#views.delete(fact.node);
    else if (fact.kind === 'quorum.changed') {
      const members = (fact.members as readonly { readonly node: number }[]).map(({ node }) => node);
      this.#views.set(fact.node, { isQuorate: fact.isQuorate === true, members, at: fact.at });
    } else return;
    const isSplit = this.isSplit;
    if (isSplit) this.#splitSince ??= fact.at;
    else if (this.#splitSince !== undefined) {
      this.#split += fact.at - this.#splitSince;
      this.#splitSince = undefined;
    }
  }

  isQuorate(node: number): boolean {
    return this.#views.get(node)?.isQuorate === true;
  }

  /** Whether two nodes are quorate whose members have nobody in common. */
  get isSplit(): boolean {
    const quorate = [...this.#views.values()].filter(({ isQuorate }) => isQuorate);
    return quorate.some((a, i) =>
      quorate.slice(i + 1).some((b) => !a.members.some((node) => b.members.includes(node))),
    );
  }

  /** For how long that was so, windows that are over counted only. */
  get splitFor(): Nanos {
    return this.#split;
  }
}
