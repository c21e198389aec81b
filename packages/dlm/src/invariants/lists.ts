import { type Check, defineInvariant, type Invariant, type Nanos, type Stamped, type Verdict } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { isCompatible, Mode, modeName } from '../mode.js';
import type { FactOf } from './keys.js';
import { LIST_KINDS, type Lists, MasterLists, type Twin } from './master-lists.js';
import { STANDING_KINDS, Standings } from './standings.js';

// What the lists of a master look like. Those that speak of a state between two steps look when time has gone on: within a
// step a lock may have been granted for which others have not been looked at.

const KINDS: readonly DlmFact['kind'][] = [...STANDING_KINDS, ...LIST_KINDS];

/** `node 3's lock 7`. */
function textOf({ owner, ownerLkid }: Pick<Twin, 'owner' | 'ownerLkid'>): string {
  return `node ${owner}'s lock ${ownerLkid}`;
}

function placeOf({ lockspace, resource, master }: Lists): string {
  return `${lockspace}/${resource} on node ${master}`;
}

/** Looks at a master's lists with each fact that changes them. */
class OnChange implements Check<DlmFact> {
  readonly #lists = new MasterLists();
  readonly #standings = new Standings((lockspace, node) => this.#lists.forget(lockspace, node));
  readonly #look: (lists: Lists, fact: FactOf<'dlm.held'>, verdict: Verdict) => void;

  constructor(look: (lists: Lists, fact: FactOf<'dlm.held'>, verdict: Verdict) => void) {
    this.#look = look;
  }

  observe(fact: Stamped<DlmFact>, verdict: Verdict): void {
    if (!this.#standings.accepts(fact)) return;
    const lists = this.#lists.follow(fact);
    if (lists !== undefined && fact.kind === 'dlm.held' && fact.mode !== 'IV') this.#look(lists, fact, verdict);
  }
}

/** Looks at lists that were changed, when time has gone on and their lockspace runs on the master. */
class BetweenSteps implements Check<DlmFact> {
  readonly #lists = new MasterLists();
  readonly #standings = new Standings((lockspace, node) => this.#lists.forget(lockspace, node));
  readonly #look: (lists: Lists, verdict: Verdict) => void;
  /** Changed at the instant `#changedAt`. */
  readonly #changed = new Set<Lists>();
  /** They wait until their lockspace runs again. */
  readonly #stopped = new Set<Lists>();
  #changedAt: Nanos = 0;

  constructor(look: (lists: Lists, verdict: Verdict) => void) {
    this.#look = look;
  }

  observe(fact: Stamped<DlmFact>, verdict: Verdict): void {
    if (fact.at > this.#changedAt) this.#lookAtChanged(verdict);
    if (!this.#standings.accepts(fact)) return;
    if (fact.kind === 'dlm.recovered') return this.#resume(fact);
    const lists = this.#lists.follow(fact);
    if (lists === undefined) return;
    if (!lists.isQueued) this.#changed.delete(lists);
    else {
      this.#changed.add(lists);
      this.#changedAt = fact.at;
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    if (at > this.#changedAt) this.#lookAtChanged(verdict);
  }

  end(_at: Nanos, verdict: Verdict): void {
    this.#lookAtChanged(verdict);
  }

  #lookAtChanged(verdict: Verdict): void {
    if (this.#changed.size === 0) return;
    for (const lists of this.#changed) {
      const { lockspace, resource, master } = lists;
      if (master === 0 || this.#lists.of(lockspace, resource) !== lists) continue;
      if (this.#standings.of(lockspace, master)?.isRunning === true) this.#look(lists, verdict);
      else this.#stopped.add(lists);
    }
    this.#changed.clear();
  }

  #resume({ lockspace, node, at }: FactOf<'dlm.recovered'>): void {
    for (const lists of this.#stopped) {
      if (lists.lockspace !== lockspace || lists.master !== node) continue;
      this.#stopped.delete(lists);
      this.#changed.add(lists);
      this.#changedAt = at;
    }
  }
}

/**
 * A lock that its owner was giving back when its master died comes to the next master with the mode that it had, although the old
 * one may have let others have it: it is unlocked when the recovery is over.
 */
class Compatible implements Check<DlmFact> {
  readonly #lists = new MasterLists();
  readonly #standings = new Standings((lockspace, node) => this.#lists.forget(lockspace, node));
  /** By lockspace, owner and its lock id. */
  readonly #unlocked = new Set<string>();
  readonly #givenBack = new WeakSet<Twin>();

  observe(fact: Stamped<DlmFact>, verdict: Verdict): void {
    if (!this.#standings.accepts(fact)) return;
    if (fact.kind === 'dlm.unlocked') this.#unlocked.add(keyOf(fact.lockspace, fact.node, fact.lkid));
    else if (fact.kind === 'dlm.cast') this.#unlocked.delete(keyOf(fact.lockspace, fact.node, fact.lkid));
    const lists = this.#lists.follow(fact);
    if (lists === undefined || fact.kind !== 'dlm.held' || fact.mode === 'IV') return;
    const raised = lists.twin(fact.owner, fact.ownerLkid);
    const isGivenBack = this.#unlocked.has(keyOf(fact.lockspace, fact.owner, fact.ownerLkid));
    if (fact.by === 'recovery' && isGivenBack) this.#givenBack.add(raised);
    else this.#givenBack.delete(raised);
    if (!this.#givenBack.has(raised)) this.#compare(lists, raised, verdict);
  }

  #compare(lists: Lists, raised: Twin, verdict: Verdict): void {
    for (const other of lists.twins.values()) {
      if (other === raised || isCompatible(other.mode, raised.mode) || this.#givenBack.has(other)) continue;
      const [mine, theirs] = [modeName(raised.mode), modeName(other.mode)];
      verdict.violate(`${placeOf(lists)}: ${textOf(raised)} has ${mine}, ${textOf(other)} has ${theirs}`, [
        lists.master,
      ]);
    }
  }
}

function keyOf(lockspace: string, node: number, lkid: number): string {
  return `${lockspace}/${node}/${lkid}`;
}

export const listsCompatible: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.S1',
  name: 'dlm-lists-compat',
  statement:
    'The granted modes of all locks on the granted and the convert queue of a master are pairwise compatible, but for those that came to it in a recovery and are being unlocked.',
  kinds: [...KINDS, 'dlm.unlocked', 'dlm.cast'],
  start: () => new Compatible(),
});

export const noBarging: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.F2',
  name: 'dlm-no-barging',
  statement:
    'A new request is not granted at once while a conversion or a request waits, unless it has EXPEDITE or NOORDER.',
  kinds: KINDS,
  start: () =>
    new OnChange((lists, fact, verdict) => {
      if (fact.by !== 'request' || fact.mayOvertake || !lists.isQueued) return;
      const first = lists.convert[0] ?? lists.wait[0]!;
      verdict.violate(`${placeOf(lists)}: ${textOf(fact)} is granted while ${textOf(first)} waits`, [lists.master]);
    }),
});

export const noLostGrant: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.F3',
  name: 'dlm-no-lost-grant',
  statement:
    'Between two steps of a master that runs, the head of the convert queue, or of the wait queue where no conversion waits, cannot be granted, unless HEADQUE put it there.',
  kinds: KINDS,
  start: () =>
    new BetweenSteps((lists, verdict) => {
      const head = lists.convert[0] ?? lists.wait[0];
      // Linux puts it there, and does not look whether that lets it go.
      if (head === undefined || head.isFirst) return;
      for (const other of lists.twins.values()) {
        if (other !== head && !isCompatible(other.mode, head.wanted)) return;
      }
      verdict.violate(
        `${placeOf(lists)}: ${textOf(head)} waits for ${modeName(head.wanted)}, and nothing is in its way`,
        [lists.master],
      );
    }),
});

export const noLostBast: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.F4',
  name: 'dlm-no-lost-bast',
  statement:
    'A granted lock whose owner hears blocking ASTs, and that blocks a queued one, was sent a blocking AST for a mode that its own excludes since it was granted last, unless it was granted past others by NOORDER, or what it blocks is deadlocked with another conversion.',
  kinds: [...KINDS, 'dlm.bast'],
  start: () =>
    new BetweenSteps((lists, verdict) => {
      for (const granted of lists.twins.values()) {
        if (granted.queue !== undefined || !granted.hasBast || granted.hasOvertaken) continue;
        const blocked = blockedBy(granted, lists);
        if (blocked === undefined || hasHeard(granted)) continue;
        verdict.violate(
          `${placeOf(lists)}: ${textOf(granted)} has ${modeName(granted.mode)} and was not told that ${textOf(blocked)} waits for ${modeName(blocked.wanted)}`,
          [lists.master, granted.owner],
        );
      }
    }),
});

function blockedBy(granted: Twin, { convert, wait }: Lists): Twin | undefined {
  const isBlocked = ({ wanted }: Twin): boolean => !isCompatible(granted.mode, wanted);
  // Linux counts a conversion that it finds deadlocked not among those that are blocked.
  return wait.find(isBlocked) ?? convert.find((twin, place) => isBlocked(twin) && !isDeadlocked(convert, twin, place));
}

/** It waits for one that waits for it: one ahead of it needs only be blocked by it, one behind it must also block it. */
function isDeadlocked(convert: readonly Twin[], twin: Twin, place: number): boolean {
  return convert.some((other, otherPlace) => {
    if (other === twin || isCompatible(twin.mode, other.wanted)) return false;
    return otherPlace < place || !isCompatible(other.mode, twin.wanted);
  });
}

/** It was sent a blocking AST for a mode that its own excludes. */
function hasHeard({ basts, mode }: Twin): boolean {
  for (let wanted: number = Mode.NL; wanted <= Mode.EX; wanted++) {
    if ((basts & (1 << wanted)) !== 0 && !isCompatible(mode, wanted)) return true;
  }
  return false;
}

export const noConversionDeadlock: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.F10',
  name: 'dlm-no-conversion-deadlock',
  statement:
    'No conversion waits behind one that waits for it to give its granted mode up, unless one of them has NODLCKWT or HEADQUE.',
  kinds: KINDS,
  start: () =>
    new BetweenSteps((lists, verdict) => {
      for (const [place, behind] of lists.convert.entries()) {
        for (const ahead of lists.convert.slice(0, place)) {
          if (mayStandSo(ahead) || mayStandSo(behind) || isCompatible(behind.mode, ahead.wanted)) continue;
          verdict.violate(
            `${placeOf(lists)}: ${textOf(ahead)} waits for ${modeName(ahead.wanted)}, which ${modeName(behind.mode)} of ${textOf(behind)} excludes, which waits behind it`,
            [lists.master],
          );
        }
      }
    }),
});

function mayStandSo({ mayDeadlock, isFirst }: Twin): boolean {
  return mayDeadlock || isFirst;
}
