import { type Fact, guarded, type Machine, MILLISECOND, type Nanos, type Stamped } from '@quorate/kernel';
import { Dlm, type DlmConfig } from '../dlm.js';
import type { DlmInput, DlmOutput } from '../dlm-io.js';

export interface ClusterOptions {
  readonly nodes: readonly number[];
  readonly config?: Partial<Omit<DlmConfig, 'nodeId' | 'observe'>>;
  /** How long a packet takes; 0.1 ms when absent. Packets of one channel never overtake each other. */
  readonly latency?: (from: number, to: number) => Nanos;
  readonly onOutput?: (node: number, output: DlmOutput) => void;
  readonly onFact?: (fact: Stamped) => void;
}

interface Node {
  readonly id: number;
  readonly dlm: Dlm;
  readonly machine: Machine<DlmInput, DlmOutput>;
  isAlive: boolean;
  isFrozen: boolean;
  readonly pending: DlmInput[];
  facts: number;
  life: number;
}

interface Delivery {
  readonly at: Nanos;
  readonly order: number;
  readonly from: number;
  readonly to: number;
  readonly toLife: number;
  readonly bytes: Uint8Array;
}

/** Nodes with one lock manager each, joined by FIFO channels with a latency, in virtual time. */
export class Cluster {
  now: Nanos = 0;
  readonly nodes: Map<number, Node> = new Map();
  /** Packets that were handed to a channel. */
  sent = 0;
  onPacket: ((from: number, to: number, bytes: Uint8Array) => void) | undefined;
  readonly #options: ClusterOptions;
  readonly #deliveries: Delivery[] = [];
  readonly #lastAt = new Map<string, Nanos>();
  #order = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    for (const id of options.nodes) this.boot(id);
  }

  /** A node with nothing in its memory. */
  boot(id: number): void {
    const life = (this.nodes.get(id)?.life ?? 0) + 1;
    const observe = (fact: Fact): void => {
      node.facts += 1;
      this.#options.onFact?.({ ...fact, node: id, life, seq: node.facts, at: this.now });
    };
    const dlm = new Dlm({
      nodeId: id,
      ...this.#options.config,
      ...(this.#options.onFact === undefined ? {} : { observe }),
    });
    const node: Node = {
      id,
      dlm,
      machine: guarded(dlm),
      isAlive: true,
      isFrozen: false,
      pending: [],
      facts: this.nodes.get(id)?.facts ?? 0,
      life,
    };
    this.nodes.set(id, node);
    for (const other of this.nodes.values()) {
      if (other === node || !other.isAlive) continue;
      this.input(id, { kind: 'connected', node: other.id });
      this.input(other.id, { kind: 'connected', node: id });
    }
  }

  /** Hands an input to a node now; a node that stands still gets it later, one that is dead never. */
  input(id: number, input: DlmInput): void {
    const node = this.nodes.get(id)!;
    if (!node.isAlive) return;
    if (node.isFrozen) node.pending.push(input);
    else node.machine.step(this.now, input, (output) => this.#onOutput(node, output));
  }

  kill(id: number): void {
    const node = this.nodes.get(id)!;
    node.isAlive = false;
    for (const other of this.nodes.values())
      if (other !== node) this.input(other.id, { kind: 'disconnected', node: id });
  }

  /** What is under way between two nodes is lost; they connect anew. */
  breakConnection(a: number, b: number): void {
    const isBetween = ({ from, to }: Delivery): boolean => (from === a && to === b) || (from === b && to === a);
    for (let i = this.#deliveries.length - 1; i >= 0; i--) {
      if (isBetween(this.#deliveries[i]!)) this.#deliveries.splice(i, 1);
    }
    for (const [node, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.input(node, { kind: 'disconnected', node: other });
      this.input(node, { kind: 'connected', node: other });
    }
  }

  freeze(id: number): void {
    this.nodes.get(id)!.isFrozen = true;
  }

  thaw(id: number): void {
    const node = this.nodes.get(id)!;
    node.isFrozen = false;
    for (const input of node.pending.splice(0)) this.input(id, input);
  }

  alive(): number[] {
    return [...this.nodes.values()].filter((node) => node.isAlive).map((node) => node.id);
  }

  /** Runs until nothing is under way and no node wants to be woken within `horizon`. */
  settle(horizon: Nanos = 100 * MILLISECOND): void {
    for (let next = this.#next(); next <= this.now + horizon; next = this.#next()) this.#runOne(next);
  }

  /** Runs everything up to an instant. */
  runTo(until: Nanos): void {
    for (let next = this.#next(); next <= until; next = this.#next()) this.#runOne(next);
    this.now = until;
  }

  /** When something happens next; Infinity for never. */
  next(): Nanos {
    return this.#next();
  }

  #next(): Nanos {
    let least = this.#deliveries[0]?.at ?? Infinity;
    for (const node of this.nodes.values()) {
      if (node.isAlive && !node.isFrozen) least = Math.min(least, Math.max(node.machine.deadline(), this.now));
    }
    return least;
  }

  #runOne(at: Nanos): void {
    this.now = Math.max(this.now, at);
    const delivery = this.#deliveries[0];
    if (delivery !== undefined && delivery.at <= this.now) {
      this.#deliveries.shift();
      if (this.nodes.get(delivery.to)?.life !== delivery.toLife) return;
      this.input(delivery.to, { kind: 'packet', from: delivery.from, bytes: delivery.bytes });
      return;
    }
    for (const node of this.nodes.values()) {
      if (node.isAlive && !node.isFrozen && node.machine.deadline() <= this.now)
        return this.input(node.id, { kind: 'wake' });
    }
  }

  #onOutput(node: Node, output: DlmOutput): void {
    if (output.kind === 'packet') this.#send(node.id, output.to, output.bytes);
    else this.#options.onOutput?.(node.id, output);
  }

  #send(from: number, to: number, bytes: Uint8Array): void {
    this.onPacket?.(from, to, bytes);
    const target = this.nodes.get(to);
    if (target === undefined || !target.isAlive) return;
    this.sent += 1;
    const channel = `${from}>${to}`;
    const latency = this.#options.latency?.(from, to) ?? MILLISECOND / 10;
    const at = Math.max(this.now + latency, this.#lastAt.get(channel) ?? 0);
    this.#lastAt.set(channel, at);
    this.#order += 1;
    const delivery = { at, order: this.#order, from, to, toLife: target.life, bytes: bytes.slice() };
    let place = this.#deliveries.length;
    while (place > 0 && this.#deliveries[place - 1]!.at > at) place -= 1;
    this.#deliveries.splice(place, 0, delivery);
  }
}

/** The simplest membership daemon: stop everywhere, then start everywhere, in no time. */
export function changeMembers(
  cluster: Cluster,
  lockspace: string,
  members: readonly number[],
  failed: readonly number[],
): void {
  for (const node of members) cluster.input(node, { kind: 'stop', lockspace });
  const start = members.map((node) => ({ node }));
  for (const node of members) cluster.input(node, { kind: 'start', lockspace, members: start, failed });
}

/** Creates a lockspace on all nodes and starts it. */
export function createLockspace(cluster: Cluster, lockspace: string, lvbLength = 32, isFs = false): void {
  const nodes = cluster.alive();
  for (const node of nodes) cluster.input(node, { kind: 'create', lockspace, lvbLength, isFs });
  changeMembers(cluster, lockspace, nodes, []);
  cluster.settle();
}
