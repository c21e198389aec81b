import { guarded, type Machine, type Nanos, type NodeStateFact, type Stamped } from '@quorate/kernel';
import { Cman, type CmanConfig, type CmanInput, type CmanOutput, type NodeId, type QuorumFact } from '../src/index.js';

interface Host {
  readonly cman: Cman;
  readonly machine: Machine<CmanInput, CmanOutput>;
  /** The ring it is in; the same array for all its members. */
  ring: readonly NodeId[];
  seq: number;
}

/** 2015-10-29 14:05:41 UTC. */
const WALL = 1_446_127_541;

/**
 * Some nodes with cman on a totem that exists in a test only: rings form when the test says so, and what is cast in a
 * ring arrives at all its members in one order.
 */
export class Cluster {
  readonly facts: Stamped<QuorumFact | NodeStateFact>[] = [];
  now: Nanos = 0;
  readonly #hosts = new Map<NodeId, Host>();
  readonly #lives = new Map<NodeId, number>();
  readonly #casts: { readonly from: NodeId; readonly ring: readonly NodeId[]; readonly payload: Uint8Array }[] = [];
  readonly #onOutput: (node: NodeId, output: CmanOutput) => void;
  #seq = 0;

  constructor(onOutput: (node: NodeId, output: CmanOutput) => void = () => {}) {
    this.#onOutput = onOutput;
  }

  /** Starts cman on a node; it is in no ring yet. */
  boot(config: CmanConfig): Cman {
    const node = config.nodeId;
    const life = (this.#lives.get(node) ?? 0) + 1;
    this.#lives.set(node, life);
    const observe = (fact: QuorumFact): void => {
      this.facts.push({ ...fact, node, life, seq: this.facts.length, at: this.now });
    };
    const cman = new Cman({ ...config, observe });
    this.#hosts.set(node, { cman, machine: guarded(cman), ring: [], seq: 0 });
    this.step(node, { kind: 'start', wall: { sec: WALL + this.now / 1e9, nsec: 0 } });
    return cman;
  }

  /** Cuts a node's power, and tells it as a driver does. */
  off(node: NodeId): void {
    this.#hosts.delete(node);
    const stamp = { node, life: this.#lives.get(node)!, seq: this.facts.length, at: this.now };
    this.facts.push({ kind: 'node.state', state: 'off', now: this.now, ...stamp });
  }

  cman(node: NodeId): Cman {
    const host = this.#hosts.get(node);
    if (host === undefined) throw new Error(`node ${node} is off`);
    return host.cman;
  }

  /** Lets totem form a ring of these nodes, each of which learns who came with it and who did not. */
  ring(members: readonly NodeId[]): void {
    this.#seq = Math.max(this.#seq, ...members.map((node) => this.#hosts.get(node)!.seq)) + 4;
    const before = new Map(members.map((node) => [node, this.#hosts.get(node)!.ring]));
    for (const node of members) {
      const host = this.#hosts.get(node)!;
      host.ring = members;
      host.seq = this.#seq;
    }
    const ring = { representative: members[0]!, seq: this.#seq };
    for (const node of members) {
      const old = before.get(node)!;
      const together = members.filter((other) => before.get(other) === old || other === node);
      const left = old.filter((other) => !together.includes(other));
      const joined = members.filter((other) => !together.includes(other));
      this.#feed(node, { kind: 'configuration', type: 'transitional', ring, members: together, joined: [], left });
      this.#feed(node, { kind: 'configuration', type: 'regular', ring, members, joined, left: [] });
    }
    this.#deliverAll();
  }

  step(node: NodeId, input: CmanInput): void {
    this.#feed(node, input);
    this.#deliverAll();
  }

  /** Lets time pass, waking whoever wants it. */
  run(duration: Nanos): void {
    const end = this.now + duration;
    for (;;) {
      const due = [...this.#hosts].filter(([, host]) => host.machine.deadline() <= end);
      if (due.length === 0) break;
      this.now = Math.max(this.now, Math.min(...due.map(([, host]) => host.machine.deadline())));
      for (const [node, host] of due) if (host.machine.deadline() <= this.now) this.step(node, { kind: 'wake' });
    }
    this.now = end;
  }

  #feed(node: NodeId, input: CmanInput): void {
    const host = this.#hosts.get(node);
    host?.machine.step(this.now, input, (output) => {
      if (output.kind === 'cast') this.#casts.push({ from: node, ring: host.ring, payload: output.payload.slice() });
      this.#onOutput(node, output);
    });
  }

  #deliverAll(): void {
    for (let cast = this.#casts.shift(); cast !== undefined; cast = this.#casts.shift()) {
      for (const node of cast.ring) {
        if (this.#hosts.get(node)?.ring !== cast.ring) continue;
        this.#feed(node, { kind: 'deliver', from: cast.from, payload: cast.payload });
      }
    }
  }
}
