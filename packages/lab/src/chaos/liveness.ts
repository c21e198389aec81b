import { type Nanos, SECOND } from '@quorate/kernel';
import type { Overview } from './overview.js';
import { type Pending, waiting } from './pending.js';

/** `started`, as rgmanager numbers the states of a service. */
const STARTED = 112;

/** What has to become true once nothing is broken any more. */
export interface Goal<State extends Settling = Settling> {
  /** `L1` to `L6`, as in the list of rules. */
  readonly id: string;
  readonly statement: string;
  /** From the moment on at which the last machine was up. */
  readonly within: Nanos;
  /** What is still missing, a phrase each; none when it is reached. */
  missing(state: State): readonly string[];
}

/** What goals look at. */
export interface Settling {
  readonly overview: Overview;
  /** Ids of the machines that were healed, and their names. */
  readonly core: ReadonlyMap<number, string>;
  /** Commands that were begun before the heal and have not ended. */
  readonly pending: readonly Pending[];
  /** Machines on which a file was written and synced since. */
  readonly usable: ReadonlySet<number>;
}

/** Token timeout and consensus of the walk-through's cluster. */
const TOKEN: Nanos = 10 * SECOND;
const CONSENSUS: Nanos = 12 * SECOND;
/** qdiskd: interval × (tko + 2). */
const QDISK: Nanos = 12 * SECOND;

/** So long a quiet, connected network takes to have one ring of its nodes. */
export const L1: Nanos = TOKEN + CONSENSUS + 10 * SECOND;
const L3: Nanos = 60 * SECOND + 10 * SECOND;
const L4: Nanos = L3 + 10 * SECOND;

/** The goals and their bounds. Source: Quorate's simulation specification, section 9.3. */
export const GOALS: readonly Goal[] = [
  {
    id: 'L1',
    statement: 'one configuration of all mutually reachable nodes',
    within: L1,
    missing: ({ overview, core }) => {
      const expected = [...core.keys()].join(' ');
      return [...core].flatMap(([node, name]) => {
        const { state, ring } = overview.of(node);
        if (state !== 'up') return [`${name} is ${state}`];
        const found = [...ring].sort((a, b) => a - b).join(' ');
        return found === expected ? [] : [`the ring of ${name} is "${found}", not "${expected}"`];
      });
    },
  },
  {
    id: 'L2',
    statement: 'it is quorate',
    within: L1 + QDISK,
    missing: ({ overview, core }) =>
      [...core].filter(([node]) => !overview.of(node).isQuorate).map(([, name]) => `${name} has no quorum`),
  },
  {
    id: 'L3',
    statement: 'each victim is fenced',
    within: L3,
    missing: ({ overview, core }) =>
      [...core].flatMap(([node, name]) =>
        [...overview.of(node).victims].map((victim) => `${name} still has to fence node ${victim}`),
      ),
  },
  {
    id: 'L4',
    statement: 'each lock request ends: nothing that was begun before waits',
    within: L4,
    missing: ({ pending }) => waiting(pending.filter((each) => !isAboutService(each))),
  },
  {
    id: 'L5',
    statement: 'the service runs, the page is served, and nobody who asked for the service waits',
    within: L4 + 40 * SECOND,
    missing: ({ overview, core, pending }) => {
      const { serviceState, owner, isAnswered } = overview;
      if (serviceState !== STARTED) return [`the service is in state ${serviceState}`];
      if (!core.has(owner)) return [`the service is owned by node ${owner}`];
      return isAnswered ? waiting(pending.filter(isAboutService)) : ['the page is not served'];
    },
  },
  {
    id: 'L6',
    statement: 'the file system is usable on all live nodes',
    within: L4 + 30 * SECOND,
    missing: ({ usable, core }) =>
      [...core].filter(([node]) => !usable.has(node)).map(([, name]) => `${name} cannot write to the file system`),
  },
];

/** rgmanager answers when the service has started or stopped, which takes longer than a lock. */
function isAboutService({ command }: Pending): boolean {
  return command.startsWith('clusvcadm ');
}
