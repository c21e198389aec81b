import { type Check, defineInvariant, type Invariant, type Nanos, type Stamped, type Verdict } from '@quorate/kernel';
import { Mode, modeName } from '../mode.js';
import { CALM_KINDS, Calm, type Calming, LONGEST } from './calm.js';
import { type FactOf, isIn, resourceKey, type StampedDlm } from './keys.js';
import { LIST_KINDS, MasterLists, twinKey } from './master-lists.js';

// Whether a lock's owner and its master believe the same of it, once no message between them is under way.

/** A lock as its owner has it. */
interface Owned {
  readonly resource: string;
  readonly node: number;
  readonly lkid: number;
  /** `Mode`; IV: nothing was granted. */
  mode: number;
  /** Of requests, conversions and unlocks. */
  isPending: boolean;
}

/** Where something changed: a lock by its owner. */
interface Change {
  readonly lockspace: string;
  readonly resource: string;
  readonly owner: number;
  readonly ownerLkid: number;
  readonly at: Nanos;
}

/** Locks by their owners and by their masters. Both are compared when nothing has been heard of a lock for long. */
abstract class Twins implements Check<Calming> {
  protected readonly lists = new MasterLists();
  protected readonly owned = new Map<string, Owned>();
  protected readonly calm = new Calm((lockspace, node) => this.#forget(lockspace, node));
  /** The last change of each lock, oldest first. */
  readonly #changes = new Map<string, Change>();

  /** What is wrong with a lock of which nothing has been heard for long; undefined if nothing is. */
  protected abstract defect(change: Change, owned: Owned | undefined): string | undefined;

  observe(fact: Stamped<Calming>): void {
    if (!this.calm.accepts(fact)) return;
    this.lists.follow(fact);
    switch (fact.kind) {
      case 'dlm.called':
        this.#onCalled(fact);
        return this.#touch(fact, fact.node, fact.lkid);
      case 'dlm.cast':
        this.#onCast(fact);
        return this.#touch(fact, fact.node, fact.lkid);
      case 'dlm.held':
      case 'dlm.queued':
      case 'dlm.unqueued':
        return this.#touch(fact, fact.owner, fact.ownerLkid);
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const [key, change] of this.#changes) {
      const { lockspace, resource, owner } = change;
      // What changed later has not waited long enough, either.
      if (at - change.at < LONGEST) return;
      if (!this.calm.hasWaited(at, change.at, lockspace, owner)) continue;
      if (this.calm.hasUnnoticedDeath(at, lockspace, owner)) continue;
      this.#changes.delete(key);
      const owned = this.owned.get(key);
      if (owned?.isPending === true) continue;
      const defect = this.defect(change, owned);
      if (defect === undefined) continue;
      const { master = 0 } = this.lists.of(lockspace, resource) ?? {};
      verdict.violate(`${lockspace}/${resource}: node ${owner}'s lock ${change.ownerLkid} ${defect}`, [owner, master]);
    }
  }

  #onCalled({ lockspace, resource, node, lkid, call }: FactOf<'dlm.called'>): void {
    const key = ownerKey(lockspace, node, lkid);
    let owned = this.owned.get(key);
    if (call === 'request' || owned === undefined) {
      owned = { resource, node, lkid, mode: Mode.IV, isPending: false };
      this.owned.set(key, owned);
    }
    if (call !== 'cancel') owned.isPending = true;
  }

  #onCast({ lockspace, node, lkid, mode }: FactOf<'dlm.cast'>): void {
    const key = ownerKey(lockspace, node, lkid);
    const owned = this.owned.get(key);
    if (owned === undefined) return;
    owned.mode = Mode[mode];
    owned.isPending = false;
    if (mode === 'IV') this.owned.delete(key);
  }

  #touch({ lockspace, resource, at }: StampedDlm & { resource: string }, owner: number, ownerLkid: number): void {
    const key = ownerKey(lockspace, owner, ownerLkid);
    this.#changes.delete(key);
    this.#changes.set(key, { lockspace, resource, owner, ownerLkid, at });
  }

  #forget(lockspace: string, node: number): void {
    this.lists.forget(lockspace, node);
    for (const [key, owned] of this.owned) {
      if (owned.node === node && isIn(key, lockspace)) this.owned.delete(key);
    }
  }
}

function ownerKey(lockspace: string, node: number, lkid: number): string {
  return resourceKey(lockspace, twinKey(node, lkid));
}

class Consistency extends Twins {
  protected override defect({ lockspace }: Change, owned: Owned | undefined): string | undefined {
    if (owned === undefined) return undefined;
    const lists = this.lists.of(lockspace, owned.resource);
    const twin = lists?.twins.get(twinKey(owned.node, owned.lkid));
    const found = twin === undefined ? 'no such lock' : modeName(twin.mode);
    if (twin?.mode === owned.mode && twin.queue === undefined) return undefined;
    const where = twin?.queue === undefined ? '' : ` on the ${twin.queue} queue`;
    return `has ${modeName(owned.mode)}, but its master, node ${lists?.master ?? 0}, has ${found}${where}`;
  }
}

class Ghosts extends Twins {
  protected override defect(change: Change, owned: Owned | undefined): string | undefined {
    if (owned?.resource === change.resource) return undefined;
    const lists = this.lists.of(change.lockspace, change.resource);
    // With its master went what it had.
    const twin = lists?.master === 0 ? undefined : lists?.twins.get(twinKey(change.owner, change.ownerLkid));
    return twin && `is gone, but its master, node ${lists?.master}, still has it in ${modeName(twin.mode)}`;
  }
}

const KINDS: readonly Calming['kind'][] = [...CALM_KINDS, ...LIST_KINDS, 'dlm.called', 'dlm.cast'];

export const twinsAgree: Invariant = defineInvariant<Calming>({
  id: 'dlm.S4',
  name: 'dlm-twins',
  statement:
    'A lock whose owner awaits nothing is on the granted queue of its master, in the mode that its owner was told last.',
  kinds: KINDS,
  start: () => new Consistency(),
});

export const noGhosts: Invariant = defineInvariant<Calming>({
  id: 'dlm.F5',
  name: 'dlm-no-lost-unlock',
  statement: 'Of a lock that has ended for its owner nothing is left on its master.',
  kinds: KINDS,
  start: () => new Ghosts(),
});

/** Orphans that nobody has begun to purge, by owner. */
class Orphans implements Check<Calming> {
  readonly #orphans = new Set<string>();
  /** Locks whose unlock is under way: one that becomes an orphan meanwhile goes all the same. */
  readonly #leaving = new Set<string>();
  readonly #calm = new Calm((lockspace, node) => this.#forget(ownerPrefix(lockspace, node)));

  observe(fact: Stamped<Calming>, verdict: Verdict): void {
    if (!this.#calm.accepts(fact)) return;
    switch (fact.kind) {
      case 'dlm.orphaned': {
        const key = ownerKey(fact.lockspace, fact.node, fact.lkid);
        if (!this.#leaving.has(key)) this.#orphans.add(key);
        return;
      }
      case 'dlm.adopted':
        this.#orphans.delete(ownerKey(fact.lockspace, fact.node, fact.lkid));
        return;
      case 'dlm.called':
        return this.#onCalled(fact);
      case 'dlm.cast':
        // It never had anything but its request.
        if (fact.mode === 'IV') this.#delete(ownerKey(fact.lockspace, fact.node, fact.lkid));
        return;
      case 'dlm.held': {
        const { lockspace, resource, owner, ownerLkid, mode, node } = fact;
        if (mode !== 'IV' || !this.#orphans.has(ownerKey(lockspace, owner, ownerLkid))) return;
        verdict.violate(
          `${lockspace}/${resource}: node ${node} took lock ${ownerLkid} away, which a process of node ${owner} left behind and nobody has purged`,
          [node, owner],
        );
      }
    }
  }

  /** The cancel of what it waited for leaves what it has. */
  #onCalled({ lockspace, node, lkid, call }: FactOf<'dlm.called'>): void {
    const key = ownerKey(lockspace, node, lkid);
    if (call !== 'unlock') return;
    this.#orphans.delete(key);
    this.#leaving.add(key);
  }

  #delete(key: string): void {
    this.#orphans.delete(key);
    this.#leaving.delete(key);
  }

  #forget(prefix: string): void {
    for (const key of [...this.#orphans, ...this.#leaving]) if (key.startsWith(prefix)) this.#delete(key);
  }
}

function ownerPrefix(lockspace: string, node: number): string {
  return resourceKey(lockspace, `${node}/`);
}

export const orphansStay: Invariant = defineInvariant<Calming>({
  id: 'dlm.S13',
  name: 'dlm-orphans-stay',
  statement: 'A lock that its process left behind stays granted until it is adopted or purged.',
  kinds: [...CALM_KINDS, 'dlm.orphaned', 'dlm.adopted', 'dlm.called', 'dlm.cast', 'dlm.held'],
  start: () => new Orphans(),
});
