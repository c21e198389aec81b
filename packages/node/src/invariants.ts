import {
  type Check,
  defineInvariant,
  type Fact,
  type Invariant,
  type Nanos,
  SECOND,
  type Stamped,
} from '@quorate/kernel';
import { LONGEST_RECKONING, NodeViews } from './node-views.js';

/** A fact of any package, with the fields that its kind has. */
type AnyFact = Fact & Readonly<Record<string, unknown>>;

function numbers(value: unknown): readonly number[] {
  return value as readonly number[];
}

/** Which nodes say that they are quorate. */
class Quorates {
  static readonly kinds = ['quorum.changed', 'quorum.killed', 'quorum.left', 'quorum.failed', 'node.state'] as const;
  readonly #quorate = new Set<number>();

  hear(fact: Stamped<AnyFact>): void {
    if (fact.kind === 'quorum.changed' && fact.isQuorate === true) this.#quorate.add(fact.node);
    else if (fact.kind !== 'node.state' || fact.state === 'off') this.#quorate.delete(fact.node);
  }

  has(node: number): boolean {
    return this.#quorate.has(node);
  }
}

function isQuorumKind(kind: string): boolean {
  return (Quorates.kinds as readonly string[]).includes(kind);
}

/** Something known of the request that a node's rgmanager carries out for a service. */
class PerRequest<T> {
  readonly #values = new Map<string, T>();

  set(fact: Stamped<AnyFact>, value: T): void {
    this.#values.set(PerRequest.#key(fact), value);
  }

  of(fact: Stamped<AnyFact>): T | undefined {
    return this.#values.get(PerRequest.#key(fact));
  }

  delete(fact: Stamped<AnyFact>): void {
    this.#values.delete(PerRequest.#key(fact));
  }

  static #key({ node, life, service }: Stamped<AnyFact>): string {
    return `${node}.${life} ${service}`;
  }
}

/** What goes on without quorum, and the names under which it is counted. */
const NO_QUORUM_ASKED: ReadonlyMap<string, string> = new Map([
  ['dlm.recovered', 'recovery-without-quorum'],
  ['gfs2.mounted', 'mount-without-quorum'],
]);

const quorumFirst = defineInvariant<AnyFact>({
  id: 'S11',
  name: 'quorum-first',
  statement:
    'no fence start and no service start by an inquorate node; counted as svc-start-outlives-quorum: a start that was taken up ' +
    'with quorum; as recovery-without-quorum and mount-without-quorum: without `enable_quorum` a lockspace waits for fencing ' +
    '(S12) only',
  kinds: [
    ...Quorates.kinds,
    'fenced.fencing-started',
    'rg.request-started',
    'rg.agent-started',
    'rg.request-ended',
    ...NO_QUORUM_ASKED.keys(),
  ],
  start(): Check<AnyFact> {
    const quorates = new Quorates();
    /** Whether a service's request was taken up with quorum. */
    const begun = new PerRequest<boolean>();
    return {
      observe(fact, verdict) {
        if (isQuorumKind(fact.kind)) return quorates.hear(fact);
        const hasQuorum = quorates.has(fact.node);
        if (fact.kind === 'rg.request-started') return begun.set(fact, hasQuorum);
        if (fact.kind === 'rg.request-ended') return begun.delete(fact);
        if (hasQuorum || (fact.kind === 'rg.agent-started' && fact.action !== 'start')) return;
        const name = NO_QUORUM_ASKED.get(fact.kind);
        if (name !== undefined) verdict.count(name);
        else if (fact.kind === 'rg.agent-started' && begun.of(fact) === true)
          verdict.count('svc-start-outlives-quorum');
        else verdict.violate(`${fact.kind} on a node without quorum`, [fact.node]);
      },
    };
  },
});

/**
 * Per node, the failed members that still have to be fenced, as its dlm_controld counts them.
 *
 * A member of a lockspace that failed is pending from `dlm.node-failed` to `fenced.fenced` of that victim.
 */
class PendingVictims {
  static readonly kinds = ['dlm.node-failed', 'fenced.fenced', 'node.state'] as const;
  /** By node and victim, the lockspaces in which it failed. */
  readonly #pending = new Map<number, Map<number, Set<string>>>();

  hear(fact: Stamped<AnyFact>): void {
    if (fact.kind === 'dlm.node-failed') {
      const pending = this.#pending.get(fact.node) ?? new Map<number, Set<string>>();
      const victim = Number(fact.failed);
      this.#pending.set(fact.node, pending.set(victim, (pending.get(victim) ?? new Set()).add(String(fact.lockspace))));
    } else if (fact.kind === 'fenced.fenced') {
      for (const pending of this.#pending.values()) pending.delete(Number(fact.victim));
    } else if (fact.state === 'off') this.#pending.delete(fact.node);
  }

  of(node: number): readonly number[] {
    return [...(this.#pending.get(node)?.keys() ?? [])];
  }

  /** Those who failed as members of that lockspace. */
  in(node: number, lockspace: string): readonly number[] {
    return this.of(node).filter((victim) => this.#pending.get(node)!.get(victim)!.has(lockspace));
  }
}

/** The walk that starts what is flagged in a service. */
const CONDITIONAL_START = 'condstart';

const fenceBeforeRecover = defineInvariant<AnyFact>({
  id: 'S12',
  name: 'fence-before-recover',
  statement:
    "DLM recovery of a dead member's locks, GFS2 journal replay, service relocation that is taken up after its death: " +
    'never before fencing of that member completed',
  kinds: [
    ...PendingVictims.kinds,
    'dlm.recovered',
    'gfs2.journal-recovered',
    'rg.request-started',
    'rg.operation-started',
    'rg.agent-started',
  ],
  start(): Check<AnyFact> {
    const victims = new PendingVictims();
    /**
     * Who was to be fenced when a service's request was taken up: what dies later has nothing to do with it, nor who died without
     * rgmanager, and so without a service that could be relocated.
     */
    const begun = new PerRequest<readonly number[]>();
    /** Whether a service that runs here is mended in place, or changed over to another configuration: nothing is taken over. */
    const inPlace = new PerRequest<boolean>();
    return {
      observe(fact, verdict) {
        if ((PendingVictims.kinds as readonly string[]).includes(fact.kind)) return victims.hear(fact);
        if (fact.kind === 'gfs2.journal-recovered' && (fact.wasDirty !== true || fact.result !== 'done')) return;
        if (fact.kind === 'rg.request-started') return begun.set(fact, victims.in(fact.node, 'rgmanager'));
        if (fact.kind === 'rg.operation-started') return inPlace.set(fact, fact.operation === CONDITIONAL_START);
        if (fact.kind === 'rg.agent-started' && (fact.action !== 'start' || inPlace.of(fact) === true)) return;
        const before = fact.kind === 'rg.agent-started' ? begun.of(fact) : undefined;
        // A lockspace has locks of its own members only, and dlm_controld waits for those; a journal is of a member, too.
        const lockspace = fact.kind === 'dlm.recovered' ? fact.lockspace : fact.filesystem;
        const failed = lockspace === undefined ? victims.of(fact.node) : victims.in(fact.node, String(lockspace));
        const pending = failed.filter((victim) => before?.includes(victim) !== false);
        if (pending.length > 0) {
          verdict.violate(`${fact.kind} while ${pending.join(' ')} is not fenced`, [fact.node, ...pending]);
        }
      },
    };
  },
});

const fenceQuorate = defineInvariant<AnyFact>({
  id: 'S14',
  name: 'fence-quorate',
  statement: 'fencing only from the quorate partition; never of a node of its own partition that has answered since',
  kinds: [...Quorates.kinds, 'fenced.fencing-started'],
  start(): Check<AnyFact> {
    const quorates = new Quorates();
    return {
      observe(fact, verdict) {
        if (isQuorumKind(fact.kind)) return quorates.hear(fact);
        const victim = Number(fact.victim);
        if (!quorates.has(fact.node)) verdict.violate(`fences ${victim} without quorum`, [fact.node, victim]);
        if (fact.isClean === true && numbers(fact.clusterMembers).includes(victim)) {
          verdict.violate(`fences ${victim}, which is a clean member of its own cluster`, [fact.node, victim]);
        }
      },
    };
  },
});

const serviceDisk = defineInvariant<AnyFact>({
  id: 'S27a',
  name: 'svc-disk',
  statement: "no two nodes write a service's files; disk writes accepted from the wrong side: no exception",
  kinds: [
    'fenced.fencing-started',
    'fenced.attempt-ended',
    'scsi.reservation-changed',
    'scsi.written',
    'node.state',
    'gfs2.mounting',
  ],
  start(): Check<AnyFact> {
    /**
     * Victims, and the life in which they were fenced: as the master's agent ended. Members can learn of it when the victim
     * is in its next life.
     */
    const fenced = new Map<number, number>();
    const lives = new Map<number, number>();
    /** Lives in which a file system was mounted: such a node may not register again before its next one. */
    const stateful = new Map<number, number>();
    /**
     * Victims whose agent is at it: whether it has preempted them, and who has registered since, in a life that had mounted
     * nothing: it came back between the preemption and the agent's end.
     */
    const attempts = new Map<number, { isPreempted: boolean; isBack: boolean }>();
    /** Units whose reservation cuts off who is not registered. */
    const guarded = new Set<number>();
    return {
      observe(fact, verdict) {
        switch (fact.kind) {
          case 'node.state':
            // A life that boots has written nothing: who is fenced now is the one before it.
            if (fact.state === 'up') lives.set(fact.node, fact.life);
            break;
          case 'fenced.fencing-started':
            attempts.set(Number(fact.victim), { isPreempted: false, isBack: false });
            break;
          case 'fenced.attempt-ended': {
            const victim = Number(fact.victim);
            if (fact.isSuccess === true && attempts.get(victim)?.isBack !== true) {
              fenced.set(victim, lives.get(victim) ?? 0);
            }
            attempts.delete(victim);
            break;
          }
          case 'scsi.reservation-changed':
            if (Number(fact.type) > 0) guarded.add(Number(fact.lun));
            else guarded.delete(Number(fact.lun));
            for (const victim of numbers(fact.preempted)) {
              const attempt = attempts.get(victim);
              if (attempt !== undefined) attempt.isPreempted = true;
            }
            // Fenced as one that had not started, and now starts: it registers as its init script says.
            if (String(fact.action).startsWith('register')) {
              const writer = Number(fact.nexus);
              if (stateful.get(writer) !== fenced.get(writer)) fenced.delete(writer);
              const attempt = attempts.get(writer);
              if (attempt?.isPreempted && stateful.get(writer) !== lives.get(writer)) attempt.isBack = true;
            }
            break;
          case 'gfs2.mounting':
            stateful.set(fact.node, fact.life);
            break;
          default: {
            const writer = Number(fact.nexus);
            const life = fenced.get(writer);
            if (guarded.has(Number(fact.lun)) && life !== undefined && lives.get(writer) === life) {
              verdict.violate(`block ${fact.lba} written by ${writer}, fenced in this life`, [writer]);
            }
          }
        }
      },
    };
  },
});

const serviceAddress = defineInvariant<AnyFact>({
  id: 'S27b',
  name: 'svc-address',
  statement:
    'one running owner per service and one node answering for a floating IP; counted as svc-dup-address: between ' +
    'storage fencing of the old owner and its reboot or stop',
  kinds: ['network.address-added', 'network.address-removed', 'scsi.reservation-changed', 'node.state'],
  start(): Check<AnyFact> {
    const holders = new Map<string, Set<number>>();
    /** Nodes whose registration the disk has removed. That somebody takes a node for fenced is no excuse. */
    const fenced = new Set<number>();
    /** Since when an address answers twice, by address. */
    const doubled = new Map<string, Nanos>();
    const settle = (at: Nanos, address: string, count: (name: string, size: number) => void): void => {
      const since = doubled.get(address);
      if (since === undefined || (holders.get(address)?.size ?? 0) > 1) return;
      doubled.delete(address);
      count('svc-dup-address', at - since);
    };
    return {
      observe(fact, verdict) {
        const count = verdict.count.bind(verdict);
        switch (fact.kind) {
          case 'scsi.reservation-changed':
            for (const victim of numbers(fact.preempted)) fenced.add(victim);
            break;
          case 'node.state':
            // Who was off when it was fenced is a new one as soon as it boots.
            if (fact.state === 'booting') fenced.delete(fact.node);
            if (fact.state !== 'off') break;
            fenced.delete(fact.node);
            for (const [address, nodes] of holders) {
              if (nodes.delete(fact.node)) settle(fact.at, address, count);
            }
            break;
          case 'network.address-removed': {
            const address = String(fact.address);
            if (holders.get(address)?.delete(fact.node)) settle(fact.at, address, count);
            break;
          }
          default: {
            const address = String(fact.address);
            const nodes = holders.get(address) ?? new Set();
            holders.set(address, nodes.add(fact.node));
            const alive = [...nodes].filter((node) => !fenced.has(node));
            if (alive.length > 1) verdict.violate(`${address} is on ${alive.join(' and ')}`, alive);
            else if (nodes.size > 1 && !doubled.has(address)) doubled.set(address, fact.at);
          }
        }
      },
    };
  },
});

/**
 * How long nothing may have changed before views have to agree: 5 s, and what it takes to miss a token. A ring that has lost it
 * tells its members nothing more, and looks whole until then.
 */
const SETTLED: Nanos = 5 * SECOND;
const TOKEN: Nanos = 10 * SECOND;

const viewAgree = defineInvariant<AnyFact>({
  id: 'S30',
  name: 'view-agree',
  statement:
    'clustat, membership, lockspace and service views agree on all nodes of a quorate partition when settled 5 s and a token ' +
    'timeout, and nobody is in the view of another who is not there himself',
  kinds: NodeViews.kinds,
  start(): Check<AnyFact> {
    const views = new NodeViews();
    let changedAt: Nanos = 0;
    // Once more when nobody is excused any longer.
    const waits = [SETTLED + TOKEN, LONGEST_RECKONING];
    let checks = waits.length;
    return {
      observe(fact) {
        views.hear(fact);
        changedAt = fact.at;
        checks = 0;
      },
      tick(at, verdict) {
        if (at - changedAt < (waits[checks] ?? Infinity)) return;
        checks += 1;
        for (const { what, nodes, found } of views.disagreements(at)) {
          verdict.violate(`${what}: ${found.join(' against ')}`, nodes);
        }
      },
    };
  },
});

/**
 * How long queues may get, by the kind of the fact that tells their marks. Many times what a storm fills: no work and no fault
 * of a cluster of this size is behind more, only something that is never taken off.
 */
const MOST_QUEUED: Readonly<Record<string, number>> = {
  'totem.queue': 2048,
  'dlm.queue': 4096,
  'rg.queue': 256,
  'node.queue': 1024,
};

const boundedQueues = defineInvariant<AnyFact>({
  id: 'S33',
  name: 'bounded-queues',
  statement:
    'packets of totem that wait or are kept < 2048, requests that a DLM keeps during recovery < 4096, events of rgmanager < ' +
    '256, disk commands under way < 1024',
  kinds: Object.keys(MOST_QUEUED),
  start(): Check<AnyFact> {
    return {
      observe(fact, verdict) {
        const most = MOST_QUEUED[fact.kind]!;
        if (Number(fact.size) < most) return;
        verdict.violate(`${fact.kind.split('.')[0]}: ${fact.size} ${fact.queue}, expected fewer than ${most}`, [
          fact.node,
        ]);
      },
    };
  },
});

/** Tasks and timers that one node may have at once. */
const MOST_TIMERS = 64;

const timerLeak = defineInvariant<AnyFact>({
  id: 'S35',
  name: 'timer-leak',
  statement: `timers of one component <= ${MOST_TIMERS}`,
  kinds: ['node.timers'],
  start(): Check<AnyFact> {
    return {
      observe(fact, verdict) {
        const count = Number(fact.count);
        if (count > MOST_TIMERS) verdict.violate(`${count} timers of ${fact.component}`, [fact.node]);
      },
    };
  },
});

/** The rules that speak of several packages at once. */
export const invariants: readonly Invariant[] = [
  quorumFirst,
  fenceBeforeRecover,
  fenceQuorate,
  serviceDisk,
  serviceAddress,
  viewAgree,
  boundedQueues,
  timerLeak,
];
