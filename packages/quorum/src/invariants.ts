import {
  type Check,
  defineInvariant,
  type Invariant,
  type Nanos,
  type NodeStateFact,
  type Stamped,
  type Verdict,
} from '@quorate/kernel';
import type { NodeId } from './cluster-node.js';
import type { QuorumCause, QuorumFact } from './fact.js';

type Watched = QuorumFact | NodeStateFact;
type Changed = Extract<QuorumFact, { kind: 'quorum.changed' }>;

/** Causes by which an administrator can let a cluster do with fewer votes. */
const OPERATOR: readonly QuorumCause[] = ['removed', 'expected', 'votes', 'config'];

/** Two sides that may both be quorate, for a reason that the original has too. */
type Departure = 'quorum-double-window' | 'quorum-two-node' | 'quorum-lowered' | 'quorum-expected-too-low';

/** What one node believes. */
interface View {
  readonly life: number;
  isUp: boolean;
  last: Stamped<Changed> | undefined;
  /** An administrator lowered what this node expects, or changed votes. */
  isLowered: boolean;
}

/**
 * S8. What a node believes is a side: the members it counts. Two nodes that run, are quorate and share no member are
 * a split brain, unless
 * - both count the quorum device's votes (the loser's lapse only `quorum_dev_poll` after the master dropped it):
 *   `quorum-double-window`;
 * - both are in two-node mode, where fencing decides: `quorum-two-node`;
 * - an administrator lowered the expected votes of one of them: `quorum-lowered`;
 * - their votes together are more than either expects, so that the electorates do not overlap:
 *   `quorum-expected-too-low`.
 * Each of these is counted with how long it lasted.
 */
class QuorumUnique implements Check<Watched> {
  readonly #views = new Map<NodeId, View>();
  readonly #open = new Map<Departure, Nanos>();
  #isSplit = false;

  observe(fact: Stamped<Watched>, verdict: Verdict): void {
    const view = this.#viewOf(fact);
    switch (fact.kind) {
      case 'node.state':
        view.isUp = fact.state === 'up';
        break;
      case 'quorum.changed':
        view.isLowered ||= isLowering(view.last, fact);
        view.last = fact;
        break;
      case 'quorum.started':
        view.isLowered = false;
        view.last = undefined;
        break;
      case 'quorum.killed':
      case 'quorum.left':
      case 'quorum.failed':
        view.last = undefined;
        break;
      default:
        return;
    }
    this.#judge(fact.at, verdict);
  }

  end(at: Nanos, verdict: Verdict): void {
    for (const [departure, since] of this.#open) verdict.count(departure, at - since);
    this.#open.clear();
  }

  #viewOf({ node, life }: Stamped<Watched>): View {
    const known = this.#views.get(node);
    if (known !== undefined && known.life === life) return known;
    const view: View = { life, isUp: true, last: undefined, isLowered: false };
    this.#views.set(node, view);
    return view;
  }

  #judge(at: Nanos, verdict: Verdict): void {
    const departures = new Set<Departure>();
    let split: readonly [Stamped<Changed>, Stamped<Changed>] | undefined;
    const quorate = [...this.#views.values()].filter((view) => view.isUp && view.last?.isQuorate === true);
    quorate.forEach((a, i) => {
      for (const b of quorate.slice(i + 1)) {
        if (!isDisjoint(a.last!, b.last!)) continue;
        const departure = departureOf(a, b);
        if (departure === undefined) split ??= [a.last!, b.last!];
        else departures.add(departure);
      }
    });
    this.#follow(departures, at, verdict);
    if (split !== undefined && !this.#isSplit) verdict.violate(describe(...split), [split[0].node, split[1].node]);
    this.#isSplit = split !== undefined;
  }

  #follow(departures: ReadonlySet<Departure>, at: Nanos, verdict: Verdict): void {
    for (const departure of departures) if (!this.#open.has(departure)) this.#open.set(departure, at);
    for (const [departure, since] of [...this.#open]) {
      if (departures.has(departure)) continue;
      verdict.count(departure, at - since);
      this.#open.delete(departure);
    }
  }
}

function isLowering(before: Changed | undefined, fact: Changed): boolean {
  if (!OPERATOR.includes(fact.cause)) return false;
  return fact.cause === 'votes' || (before !== undefined && fact.expected < before.expected);
}

function isDisjoint(a: Changed, b: Changed): boolean {
  return !a.members.some(({ node }) => b.members.some((other) => other.node === node));
}

function departureOf(a: View, b: View): Departure | undefined {
  const [left, right] = [a.last!, b.last!];
  if (left.deviceVotes > 0 && right.deviceVotes > 0) return 'quorum-double-window';
  if (left.isTwoNode && right.isTwoNode) return 'quorum-two-node';
  if (a.isLowered || b.isLowered) return 'quorum-lowered';
  if (votesOf(left) + votesOf(right) > Math.max(left.expected, right.expected)) return 'quorum-expected-too-low';
  return undefined;
}

/** Of the members, without a quorum device. */
function votesOf(fact: Changed): number {
  return fact.members.reduce((sum, { votes }) => sum + votes, 0);
}

function describe(a: Stamped<Changed>, b: Stamped<Changed>): string {
  return `${side(a)} and ${side(b)} are quorate, and no node is in both`;
}

function side(fact: Stamped<Changed>): string {
  const members = fact.members.map(({ node }) => node).join(' ');
  return `node ${fact.node} with {${members}} (${fact.total} of ${fact.expected} votes, quorum ${fact.quorum})`;
}

const quorumUnique = defineInvariant<Watched>({
  id: 'S8',
  name: 'quorum-unique',
  statement: 'never two disjoint partitions quorate under overlapping expected votes',
  kinds: ['quorum.started', 'quorum.changed', 'quorum.killed', 'quorum.left', 'quorum.failed', 'node.state'],
  start: () => new QuorumUnique(),
});

/** S9. The device's votes are checked against what was told of the device, not only against the sum itself. */
class QuorumSum implements Check<QuorumFact> {
  readonly #devices = new Map<NodeId, { readonly life: number; readonly votes: number }>();

  observe(fact: Stamped<QuorumFact>, verdict: Verdict): void {
    if (fact.kind === 'quorum.started') this.#devices.delete(fact.node);
    else if (fact.kind === 'quorum.device') {
      this.#devices.set(fact.node, { life: fact.life, votes: fact.isUp ? fact.votes : 0 });
    } else if (fact.kind === 'quorum.changed') {
      for (const message of this.#faultsOf(fact)) verdict.violate(`node ${fact.node}: ${message}`, [fact.node]);
    }
  }

  *#faultsOf(fact: Stamped<Changed>): Generator<string> {
    const { total, expected, quorum, deviceVotes, members, hasConfigError, isQuorate } = fact;
    const device = this.#devices.get(fact.node);
    const votesUp = device?.life === fact.life ? device.votes : 0;
    if (deviceVotes !== votesUp) yield `${deviceVotes} device votes counted, the device has ${votesUp}`;
    const sum = votesOf(fact) + deviceVotes;
    if (total !== sum) yield `${total} votes in all, members and device have ${sum}`;
    const isTwoNode = fact.isTwoNode && members.length <= 2;
    const least = isTwoNode ? 1 : Math.floor((Math.max(expected, total) + 2) / 2);
    if (quorum < least) yield `quorum ${quorum} of ${expected} expected and ${total} present votes, at least ${least}`;
    const shouldBe = quorum <= total && !hasConfigError;
    if (isQuorate !== shouldBe) yield `${isQuorate ? 'quorate' : 'inquorate'} with ${total} votes and quorum ${quorum}`;
  }
}

const quorumSum = defineInvariant<QuorumFact>({
  id: 'S9',
  name: 'quorum-sum',
  statement:
    "total = members' votes + the quorum device's votes when it is up; quorum is more than half of what is expected and of what is there; quorate is who has that many",
  kinds: ['quorum.started', 'quorum.changed', 'quorum.device'],
  start: () => new QuorumSum(),
});

export const invariants: readonly Invariant[] = [quorumUnique, quorumSum];
