// Several fenceds on a totally ordered group bus with a virtual clock: what totem, CPG and cman do, in a page.
import { EventQueue, guarded, MILLISECOND, type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import {
  DAEMON_GROUP,
  DOMAIN_GROUP,
  type FenceConf,
  Fenced,
  type FencedConfig,
  type FencedFact,
  type FencedInput,
  type FencedOutput,
} from '../src/index.js';

export interface Event {
  readonly at: Nanos;
  readonly node: number;
  readonly text: string;
}

interface Host {
  readonly id: number;
  life: number;
  machine: ReturnType<typeof guarded<FencedInput, FencedOutput>> | undefined;
  fenced: Fenced | undefined;
  /** Groups it has joined. */
  readonly groups: Set<string>;
  wakeAt: Nanos;
}

/** A set of nodes that can hear each other: a ring, with its own total order. */
interface Partition {
  readonly nodes: Set<number>;
  ring: { representative: number; seq: number };
}

export interface BusOptions {
  readonly nodes: readonly number[];
  readonly conf: FenceConf;
  readonly config?: Partial<FencedConfig>;
  readonly votes?: (members: readonly number[]) => boolean;
}

const LATENCY: Nanos = MILLISECOND;

export class GroupBus {
  readonly events: Event[] = [];
  readonly facts: Stamped<FencedFact>[] = [];
  now: Nanos = 0;
  /** What an agent run takes and returns. */
  agent: (input: string, by: number) => { takes: Nanos; status: number } = () => ({ takes: SECOND, status: 0 });
  /** Whether a set of members has quorum. */
  isQuorate: (members: readonly number[]) => boolean;
  /** Changes every message on its way: a planted bug replaces it. */
  tamper: (payload: Uint8Array, from: number) => Uint8Array = (payload) => payload;
  readonly #options: BusOptions;
  readonly #hosts = new Map<number, Host>();
  readonly #queue = new EventQueue();
  readonly #jobs = new Map<number, () => void>();
  #partitions: Partition[] = [];
  /** Process ids of what `fence_check` runs, by node. */
  readonly fenceChecks = new Map<number, number>();
  #order = 0;
  #ringSeq = 0;

  constructor(options: BusOptions) {
    this.#options = options;
    this.isQuorate = options.votes ?? ((members) => members.length * 2 > options.nodes.length);
    for (const id of options.nodes) {
      this.#hosts.set(id, { id, life: 0, machine: undefined, fenced: undefined, groups: new Set(), wakeAt: Infinity });
    }
  }

  at(at: Nanos, what: () => void): void {
    this.#order += 1;
    this.#queue.push(at, this.#order, this.#order);
    this.#jobs.set(this.#order, what);
  }

  run(until: Nanos): void {
    while (this.#queue.time <= until) {
      this.now = this.#queue.time;
      const slot = this.#queue.pop();
      const job = this.#jobs.get(slot)!;
      this.#jobs.delete(slot);
      job();
    }
    this.now = until;
  }

  fenced(node: number): Fenced {
    return this.#hosts.get(node)!.fenced!;
  }

  /** The node boots: cman joins the cluster, fenced starts. */
  boot(node: number, config: Partial<FencedConfig> = {}, uncontrolled: readonly string[] = []): void {
    const host = this.#hosts.get(node)!;
    host.life += 1;
    const { life } = host;
    host.fenced = new Fenced({
      nodeId: node,
      conf: this.#options.conf,
      observe: (fact) => this.facts.push({ ...fact, node, life, seq: this.facts.length, at: this.now }),
      ...this.#options.config,
      ...config,
    });
    host.machine = guarded(host.fenced);
    const partition = this.#partitions[0] ?? { nodes: new Set(), ring: { representative: node, seq: 0 } };
    if (this.#partitions.length === 0) this.#partitions.push(partition);
    partition.nodes.add(node);
    this.#newRing(partition);
    this.input(node, { kind: 'start', wall: 1_446_127_500, uncontrolled });
  }

  /** Power-off: the others see the node go down. */
  kill(...nodes: readonly number[]): void {
    for (const node of nodes) {
      const host = this.#hosts.get(node)!;
      host.machine = undefined;
      host.life += 1;
    }
    for (const partition of this.#partitions) {
      const gone = nodes.filter((node) => partition.nodes.delete(node));
      if (gone.length > 0) this.#membersLeft(partition, gone, 'nodedown');
    }
    for (const node of nodes) this.#hosts.get(node)!.groups.clear();
  }

  /** fenced dies alone. */
  killDaemon(node: number): void {
    const host = this.#hosts.get(node)!;
    host.machine = undefined;
    host.life += 1;
    const partition = this.#partitionOf(node);
    for (const group of host.groups) this.#confchg(partition, group, [], [{ node, reason: 'procdown' }], [node]);
    host.groups.clear();
  }

  /** Cuts the network: each side sees the other go down. */
  split(...sides: readonly (readonly number[])[]): void {
    const [all] = this.#partitions;
    this.#partitions = sides.map((side) => ({ nodes: new Set(side), ring: { ...all!.ring } }));
    for (const [i, partition] of this.#partitions.entries()) {
      const others = sides.flatMap((side, j) => (i === j ? [] : side));
      this.#membersLeft(partition, others, 'nodedown');
    }
  }

  /** Heals the network: each side sees the other join, with whatever it knows. */
  merge(): void {
    const sides = this.#partitions.map((partition) => [...partition.nodes]);
    const whole: Partition = {
      nodes: new Set(sides.flat().sort((a, b) => a - b)),
      ring: { representative: 0, seq: 0 },
    };
    this.#partitions = [whole];
    for (const group of [DAEMON_GROUP, DOMAIN_GROUP]) {
      for (const side of sides) {
        const joined = [...whole.nodes].filter(
          (node) => !side.includes(node) && this.#hosts.get(node)!.groups.has(group),
        );
        if (joined.length > 0) this.#confchg(whole, group, joined, [], [], side);
      }
    }
    this.#newRing(whole);
  }

  input(node: number, input: FencedInput): void {
    const { life } = this.#hosts.get(node)!;
    this.at(this.now, () => {
      const host = this.#hosts.get(node)!;
      if (host.life === life) this.#step(host, input);
    });
  }

  /** The cluster's votes changed, but not its members. */
  votesChanged(isQuorate: (members: readonly number[]) => boolean): void {
    this.isQuorate = isQuorate;
    for (const partition of this.#partitions) this.#tellCman(partition);
  }

  #partitionOf(node: number): Partition {
    return this.#partitions.find((partition) => partition.nodes.has(node))!;
  }

  #membersLeft(partition: Partition, gone: readonly number[], reason: 'nodedown'): void {
    for (const group of [DAEMON_GROUP, DOMAIN_GROUP]) {
      const left = gone.filter((node) => this.#hosts.get(node)!.groups.has(group)).map((node) => ({ node, reason }));
      if (left.length > 0) this.#confchg(partition, group, [], left, gone);
    }
    this.#newRing(partition);
  }

  /** cman first, then CPG, as a new ring forms. */
  #newRing(partition: Partition): void {
    this.#ringSeq += 4;
    partition.ring = { representative: Math.min(...partition.nodes), seq: this.#ringSeq };
    this.#tellCman(partition);
    for (const node of partition.nodes) this.#tellRing(node, partition);
  }

  #tellRing(node: number, { ring, nodes }: Partition): void {
    this.input(node, { kind: 'ring-confchg', ring, members: [...nodes].sort((a, b) => a - b) });
  }

  #tellCman(partition: Partition): void {
    const members = [...partition.nodes].sort((a, b) => a - b);
    const { ring } = partition;
    for (const node of partition.nodes) {
      this.input(node, { kind: 'membership', members, ring, isQuorate: this.isQuorate(members) });
    }
  }

  #confchg(
    partition: Partition,
    group: string,
    joined: readonly number[],
    left: readonly { node: number; reason: 'leave' | 'nodedown' | 'procdown' }[],
    without: readonly number[],
    to: Iterable<number> = partition.nodes,
  ): void {
    const isMember = (node: number): boolean => this.#hosts.get(node)!.groups.has(group) && !without.includes(node);
    const members = [...partition.nodes].filter(isMember).sort((a, b) => a - b);
    for (const node of to) {
      const isLeaving = left.some((departure) => departure.node === node && departure.reason === 'leave');
      if (isMember(node) || isLeaving) this.input(node, { kind: 'confchg', group, members, joined, left });
    }
  }

  #step(host: Host, input: FencedInput): void {
    const { machine } = host;
    if (machine === undefined) return;
    const outputs: FencedOutput[] = [];
    machine.step(this.now, input, (output) => {
      outputs.push(output.kind === 'cpg-mcast' ? { ...output, payload: output.payload.slice() } : output);
    });
    for (const output of outputs) this.#handle(host, output);
    this.#arm(host);
  }

  #arm(host: Host): void {
    const at = Math.max(this.now, host.machine?.deadline() ?? Infinity);
    if (at === Infinity || at === host.wakeAt) return;
    host.wakeAt = at;
    const { life } = host;
    this.at(at, () => {
      if (host.life !== life || host.wakeAt !== at) return;
      host.wakeAt = Infinity;
      this.#step(host, { kind: 'wake' });
    });
  }

  #handle(host: Host, output: FencedOutput): void {
    const { id } = host;
    switch (output.kind) {
      case 'cpg-join':
        return this.#later(host, () => {
          host.groups.add(output.group);
          this.#confchg(this.#partitionOf(id), output.group, [id], [], []);
          this.#tellRing(id, this.#partitionOf(id));
        });
      case 'cpg-leave':
        return this.#later(host, () => {
          this.#confchg(this.#partitionOf(id), output.group, [], [{ node: id, reason: 'leave' }], [id]);
          host.groups.delete(output.group);
        });
      case 'cpg-mcast':
        return this.#later(host, () => {
          const payload = this.tamper(output.payload, id);
          for (const node of this.#partitionOf(id).nodes) {
            if (this.#hosts.get(node)!.groups.has(output.group)) {
              this.input(node, { kind: 'message', group: output.group, from: id, payload });
            }
          }
        });
      case 'run-agent': {
        const { takes, status } = this.agent(output.input, id);
        this.#say(id, `run ${output.agent} ${output.input.trimEnd().replaceAll('\n', ' ')}`);
        const { run } = output;
        const { life } = host;
        this.at(this.now + takes, () => {
          if (host.life === life) this.#step(host, { kind: 'agent-ended', run, status });
        });
        return;
      }
      case 'find-fence-check': {
        const pid = this.fenceChecks.get(id) ?? 0;
        return this.at(this.now, () => this.input(id, { kind: 'fence-check', pid }));
      }
      default:
        return this.#say(id, eventText(output));
    }
  }

  #later(host: Host, what: () => void): void {
    const { life } = host;
    this.at(this.now + LATENCY, () => {
      if (host.life === life) what();
    });
  }

  #say(node: number, text: string): void {
    this.events.push({ at: this.now, node, text });
  }
}

function eventText(output: FencedOutput): string {
  switch (output.kind) {
    case 'log':
      return `${output.priority === 'debug' ? '(debug) ' : ''}${output.text}`;
    case 'fenced':
      return `=> fenced ${output.node} how ${output.how} by ${output.by}`;
    case 'victims':
      return `=> victims {${output.nodes.join(' ')}}`;
    case 'kick':
      return `=> kick ${output.node}`;
    case 'refused':
      return `=> refused ${output.reason}`;
    case 'end-fence-check':
      return `=> end fence_check ${output.pid}`;
    case 'reject':
      return `=> reject from ${output.from}: ${output.reason}`;
    default:
      return `=> ${output.kind}`;
  }
}
