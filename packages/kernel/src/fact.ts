import type { Nanos } from './machine.js';

/** Something that happened in a machine, for whoever watches: checkers, traces, dashboards, benchmarks. */
export interface Fact {
  /** `package.what`, for instance `totem.deliver`. */
  readonly kind: string;
  /** The machine's own clock when it happened. */
  readonly now: Nanos;
}

/** Where a fact comes from. Added by the node that composes the machine, and by its driver. */
export interface Stamp {
  /** Node id; 0 for what belongs to no node, such as a disk or the network. */
  readonly node: number;
  /** Which life of that node: 1 for its first boot, one more with every further boot. */
  readonly life: number;
  /** Running number of the facts of this node, over all its lives. */
  readonly seq: number;
  /** The driver's global time. */
  readonly at: Nanos;
}

export type Stamped<F extends Fact = Fact> = F & Stamp;

/** How a machine tells its facts. Called as `this.#observe?.({ … })`, so nothing is built when nobody listens. */
export type Observe<F extends Fact = Fact> = (fact: F) => void;

/** A node's power: `off -> booting -> up <-> paused`, and back to off from each. One that is paused does not know it. */
export type PowerState = 'off' | 'booting' | 'up' | 'paused';

/** The one fact about a node that its driver tells: rules of any package may hear who is there at all. */
export interface NodeStateFact extends Fact {
  readonly kind: 'node.state';
  readonly state: PowerState;
}
