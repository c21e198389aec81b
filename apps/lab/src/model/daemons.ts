import type { Stamped } from '@quorate/kernel';
import type { AnyFact } from '@quorate/lab';

/** `waits`: it is there, and something has to happen before it goes on; `bad`: it has failed. */
export type DaemonState = 'off' | 'on' | 'waits' | 'bad';

/** What runs on one machine beside its ring, votes and mount. */
export interface Daemons {
  /** State of the membership protocol; empty without one. */
  readonly ringState: '' | 'operational' | 'gather' | 'commit' | 'recovery';
  /** The ring that it belongs to, `representative.sequence` in hexadecimal; empty without one. */
  readonly ring: string;
  readonly fenced: DaemonState;
  readonly dlm: DaemonState;
  readonly rgmanager: DaemonState;
  /** State of qdiskd as its status block has it: `run`, `master`; empty while it does not run. */
  readonly qdisk: string;
  /** Whether its heuristic reaches the gateway. */
  readonly heuristic: DaemonState;
  /** The agent that starts or stops a resource now: `start ip:10.156.76.58`; empty when none does. */
  readonly agent: string;
}

const NOTHING_RUNS: Daemons = {
  ringState: '',
  ring: '',
  fenced: 'off',
  dlm: 'off',
  rgmanager: 'off',
  qdisk: '',
  heuristic: 'off',
  agent: '',
};

const DISK_STATES: ReadonlyMap<number, string> = new Map([
  [1, 'evict'],
  [2, 'init'],
  [5, 'run'],
  [6, 'master'],
  [7, 'exit'],
]);

/** The daemons of all machines as their facts have it, and who is being fenced. */
export class AllDaemons {
  static readonly KINDS: readonly string[] = [
    'node.state',
    'totem.state',
    'totem.configuration',
    'quorum.killed',
    'quorum.left',
    'quorum.failed',
    'qdisk.state',
    'qdisk.heuristic',
    'qdisk.evicted',
    'fenced.state',
    'fenced.fencing-started',
    'fenced.fenced',
    'dlm.stopped',
    'dlm.recovered',
    'dlm.released',
    'rg.members',
    'rg.exited',
    'rg.agent-started',
    'rg.agent-ended',
  ];
  readonly #machines = new Map<number, Daemons>();
  readonly #paused = new Set<number>();
  readonly #victims = new Set<number>();

  of(node: number): Daemons {
    return this.#machines.get(node) ?? NOTHING_RUNS;
  }

  isVictim(node: number): boolean {
    return this.#victims.has(node);
  }

  hear(fact: Stamped): void {
    const any = fact as AnyFact;
    switch (fact.kind) {
      case 'node.state':
        this.#onPower(any.node, String(any.state));
        break;
      case 'fenced.fencing-started':
        this.#victims.add(Number(any.victim));
        break;
      case 'fenced.fenced':
        this.#victims.delete(Number(any.victim));
        break;
      case 'qdisk.evicted':
        if (any.isWritten === true) this.#change(Number(any.peer), { qdisk: 'evict' });
        break;
      default:
        this.#change(any.node, changeOf(any));
    }
  }

  #change(node: number, change: Partial<Daemons>): void {
    this.#machines.set(node, { ...this.of(node), ...change });
  }

  #onPower(node: number, state: string): void {
    // Resumed, it is what it was.
    const isSameLife = state === 'paused' || (state === 'up' && this.#paused.has(node));
    if (state === 'paused') this.#paused.add(node);
    else this.#paused.delete(node);
    if (!isSameLife) this.#machines.delete(node);
    if (state === 'booting') this.#victims.delete(node);
  }
}

function changeOf(fact: AnyFact): Partial<Daemons> {
  switch (fact.kind) {
    case 'totem.state':
      return { ringState: fact.state as Daemons['ringState'] };
    case 'totem.configuration':
      return { ring: String(fact.ring) };
    case 'quorum.killed':
    case 'quorum.left':
    case 'quorum.failed':
      return NOTHING_RUNS;
    case 'qdisk.state':
      return { qdisk: DISK_STATES.get(Number(fact.state)) ?? '' };
    case 'qdisk.heuristic':
      return { heuristic: fact.isUp === true ? 'on' : Number(fact.misses) < Number(fact.tko) ? 'waits' : 'bad' };
    case 'fenced.state':
      return { fenced: fencedState(fact) };
    case 'dlm.stopped':
      return { dlm: 'waits' };
    case 'dlm.recovered':
      return { dlm: 'on' };
    case 'dlm.released':
      return { dlm: 'off' };
    case 'rg.members':
      return { rgmanager: (fact.members as readonly number[]).includes(fact.node) ? 'on' : 'waits' };
    case 'rg.exited':
      return { rgmanager: 'off', agent: '' };
    case 'rg.agent-started':
      return isMove(fact) ? { agent: `${fact.action} ${fact.resource}` } : {};
    case 'rg.agent-ended':
      return isMove(fact) ? { agent: '' } : {};
    default:
      return {};
  }
}

function fencedState({ state }: AnyFact): DaemonState {
  if (state === 'left') return 'off';
  return state === 'none' ? 'on' : 'waits';
}

function isMove({ action }: AnyFact): boolean {
  return action === 'start' || action === 'stop';
}
