import type { Nanos, Stamped } from '@quorate/kernel';
import type { ServiceState } from '@quorate/rgmanager';
import type { AnyFact } from '../lab.js';

/** Votes as one node reckons them. */
export interface Votes {
  readonly isQuorate: boolean;
  readonly quorum: number;
  readonly total: number;
  readonly expected: number;
  readonly device: number;
}

/** One machine, as its last facts have it. */
export interface MachinePicture {
  readonly name: string;
  readonly power: string;
  /** Undefined until cman runs. */
  readonly votes: Votes | undefined;
  /** Node ids of its ring; empty without one. */
  readonly ring: readonly number[];
  readonly isMounted: boolean;
}

export interface ServicePicture {
  readonly name: string;
  /** `ServiceState`. */
  readonly state: (typeof ServiceState)[keyof typeof ServiceState];
  /** Node id; 0 for none. */
  readonly owner: number;
}

/** Since the first failed request was sent. */
export interface Outage {
  readonly from: Nanos;
  readonly failed: number;
}

/** How many of the last presses of F5 are kept. */
const TICKS = 120;

/** The whole cluster as the facts of a run make it: what a view shows, on a terminal or in a page. */
export class ClusterPicture {
  /** Kinds of facts that it is made of. */
  readonly kinds: readonly string[] = [
    'node.state',
    'quorum.changed',
    'quorum.killed',
    'quorum.left',
    'quorum.failed',
    'totem.configuration',
    'gfs2.mounted',
    'gfs2.unmounted',
    'gfs2.withdrawn',
    'rg.service',
    'client.request',
  ];
  readonly #machines: Map<number, MachinePicture>;
  service: ServicePicture | undefined;
  /** The last presses of F5, oldest first: whether the page came. */
  ticks: readonly boolean[] = [];
  /** While the page is away. */
  outage: Outage | undefined;
  /** The page came at least once. */
  wasServed = false;
  at: Nanos = 0;

  /** `names` in the order of the node ids. */
  constructor(names: readonly string[]) {
    this.#machines = new Map(names.map((name, i) => [i + 1, off(name)]));
  }

  /** By node id, in its order. */
  get machines(): ReadonlyMap<number, MachinePicture> {
    return this.#machines;
  }

  /** Votes as the first quorate node reckons them, else the first node that has any. */
  get votes(): Votes | undefined {
    const all = [...this.#machines.values()].filter(({ power }) => power === 'up').map(({ votes }) => votes);
    return all.find((votes) => votes?.isQuorate) ?? all.find((votes) => votes !== undefined);
  }

  hear(fact: Stamped): void {
    this.at = fact.at;
    const any = fact as AnyFact;
    switch (fact.kind) {
      case 'client.request':
        this.#onRequest(any);
        break;
      case 'rg.service':
        this.service = {
          name: String(any.service).replace(/^service:/, ''),
          state: any.state as ServicePicture['state'],
          owner: Number(any.owner),
        };
        break;
      default:
        this.#onMachine(any);
    }
  }

  #onMachine(fact: AnyFact): void {
    const machine = this.#machines.get(fact.node);
    if (machine !== undefined) this.#machines.set(fact.node, { ...machine, ...changeOf(machine, fact) });
  }

  #onRequest({ at, isAnswered, sentAt }: AnyFact): void {
    const isServed = isAnswered === true;
    this.ticks = [...this.ticks, isServed].slice(-TICKS);
    this.at = at;
    if (isServed) {
      this.wasServed = true;
      this.outage = undefined;
    } else if (this.wasServed) {
      this.outage = { from: this.outage?.from ?? Number(sentAt), failed: (this.outage?.failed ?? 0) + 1 };
    }
  }
}

function off(name: string): MachinePicture {
  return { name, power: 'off', votes: undefined, ring: [], isMounted: false };
}

function changeOf(machine: MachinePicture, fact: AnyFact): Partial<MachinePicture> {
  switch (fact.kind) {
    case 'node.state': {
      const power = String(fact.state);
      // Paused, or awake again, it is what it was; in every other state nothing runs on it yet, or any more.
      const isSameLife = power === 'paused' || machine.power === 'paused';
      return isSameLife && power !== 'off' && power !== 'booting' ? { power } : { ...off(machine.name), power };
    }
    case 'quorum.changed': {
      const { isQuorate, quorum, total, expected, deviceVotes } = fact;
      return {
        votes: {
          isQuorate: isQuorate === true,
          quorum: Number(quorum),
          total: Number(total),
          expected: Number(expected),
          device: Number(deviceVotes),
        },
      };
    }
    case 'quorum.killed':
    case 'quorum.left':
    case 'quorum.failed':
      return { votes: undefined, ring: [] };
    case 'totem.configuration':
      return { ring: fact.members as readonly number[] };
    case 'gfs2.mounted':
      return { isMounted: true };
    case 'gfs2.unmounted':
    case 'gfs2.withdrawn':
      return { isMounted: false };
    default:
      return {};
  }
}
