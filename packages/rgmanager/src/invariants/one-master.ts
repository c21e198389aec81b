import { type Check, defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { RgFact } from '../fact.js';
import { PerLife } from './per-life.js';

/**
 * M1. Whoever becomes the master sees no earlier one among the members, and has seen its loss or its farewell; and nobody
 * runs event scripts who has not become the master.
 */
class OneMaster implements Check<RgFact> {
  readonly #members = new PerLife<{ ids: readonly number[] }>(() => ({ ids: [] }));
  readonly #wasMaster = new PerLife<{ isIt: boolean }>(() => ({ isIt: false }));
  #master = { node: 0, life: 0 };

  observe(fact: Stamped<RgFact>, verdict: Verdict): void {
    const { node } = fact;
    if (fact.kind === 'rg.members') {
      this.#members.of(fact).ids = fact.members;
    } else if (fact.kind === 'rg.script') {
      if (this.#wasMaster.of(fact).isIt) return;
      verdict.violate(`node ${node} runs the script ${fact.name}, but has not become the master`, [node]);
    } else if (fact.kind === 'rg.exited') {
      if (this.#master.node === node) this.#master = { node: 0, life: 0 };
    } else if (fact.kind === 'rg.master') {
      const { node: master, life } = this.#master;
      const isThere = this.#members.of(fact).ids.includes(master) && this.#members.lifeOf(master) === life;
      if (master !== node && isThere) {
        verdict.violate(`node ${node} has become the master, but node ${master} is a member and has`, [node, master]);
      }
      this.#wasMaster.of(fact).isIt = true;
      this.#master = { node, life: fact.life };
    }
  }
}

export const oneMaster: Invariant = defineInvariant<RgFact>({
  id: 'rgmanager.M1',
  name: 'one-master',
  statement: 'With central processing one node at a time is the master, and only it runs event scripts.',
  kinds: ['rg.members', 'rg.master', 'rg.script', 'rg.exited'],
  start: () => new OneMaster(),
});
