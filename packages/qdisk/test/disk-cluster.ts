// Several qdiskds on one virtual disk, with a virtual clock: what the drivers do, in a page.
import { EventQueue, guarded, MILLISECOND, type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import {
  formatQuorumDisk,
  type QdiskConfig,
  Qdiskd,
  type QdiskFact,
  type QdiskInput,
  type QdiskOutput,
} from '../src/index.js';

/** One thing that a daemon did, or that was done to it (node 0). */
export interface Event {
  readonly at: Nanos;
  readonly node: number;
  readonly text: string;
}

interface Host {
  readonly id: number;
  life: number;
  machine: ReturnType<typeof guarded<QdiskInput, QdiskOutput>> | undefined;
  qdiskd: Qdiskd | undefined;
  isPaused: boolean;
  /** What would have arrived while it was paused. */
  readonly held: QdiskInput[];
  /** Global time less the node's own clock; grows while it is paused. */
  offset: Nanos;
  pausedAt: Nanos;
  wakeAt: Nanos;
}

export interface ClusterOptions {
  readonly nodes: readonly number[];
  /** Wall clock second at instant 0. */
  readonly wall?: number;
  readonly readTime?: Nanos;
  readonly writeTime?: Nanos;
  readonly config?: (node: number) => Partial<QdiskConfig>;
  /** How long a run of the heuristic takes and what it returns. */
  readonly heuristic?: (at: Nanos, node: number) => { readonly takes: Nanos; readonly status: number };
}

/** A disk that a test can look at and break. */
export class VirtualDisk {
  readonly sectorSize = 512;
  readonly bytes = new Uint8Array(73_728);

  read(sector: number): Uint8Array {
    return this.bytes.slice(sector * this.sectorSize, (sector + 1) * this.sectorSize);
  }

  write(sector: number, data: Uint8Array): void {
    this.bytes.set(data, sector * this.sectorSize);
  }
}

export class DiskCluster {
  readonly events: Event[] = [];
  readonly facts: Stamped<QdiskFact>[] = [];
  readonly disk: VirtualDisk = new VirtualDisk();
  readonly statusFiles = new Map<number, string>();
  now: Nanos = 0;
  /** Which disk a node's reads and writes go to: a planted bug replaces it. */
  diskOf: (node: number) => VirtualDisk = () => this.disk;
  /** How late a wake-up comes that is due at this instant; a test replaces it. */
  latencyOf: (node: number, due: Nanos) => Nanos = () => 0;
  /** Extra time of an I/O, Infinity for a hang; a test replaces it. */
  delayOf: (node: number, kind: 'read' | 'write') => Nanos = () => 0;
  /** Whether an I/O fails; a test replaces it. */
  failsOf: (node: number, kind: 'read' | 'write', sector: number) => boolean = () => false;
  readonly #options: ClusterOptions;
  readonly #hosts = new Map<number, Host>();
  readonly #queue = new EventQueue();
  readonly #jobs = new Map<number, () => void>();
  readonly #views = new Map<number, readonly number[]>();
  #order = 0;
  #split: { nodes: readonly number[]; copy: VirtualDisk } = { nodes: [], copy: this.disk };

  constructor(options: ClusterOptions) {
    this.#options = options;
    const wall = options.wall ?? 1_446_127_500;
    formatQuorumDisk({ label: 'myqdisk', host: 'my-vm1', wall: wall - 3600 }, (sector, data) =>
      this.disk.write(sector, data),
    );
    for (const id of options.nodes) {
      this.#views.set(id, [1, 2, 3, 4, 5]);
      this.#hosts.set(id, {
        id,
        life: 0,
        machine: undefined,
        qdiskd: undefined,
        isPaused: false,
        held: [],
        offset: 0,
        pausedAt: 0,
        wakeAt: Infinity,
      });
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

  start(node: number): void {
    const host = this.#hosts.get(node)!;
    const { config } = this.#options;
    host.life += 1;
    host.offset = this.now;
    const { life } = host;
    host.qdiskd = new Qdiskd({
      nodeId: node,
      device: 'DEV',
      quorumd: {},
      clusterNodes: [1, 2, 3, 4, 5].map((nodeId) => ({ nodeId, name: `my-vm${nodeId}`, votes: 1 })),
      observe: (fact) => this.facts.push({ ...fact, node, life, seq: this.facts.length, at: this.now }),
      ...config?.(node),
    });
    host.machine = guarded(host.qdiskd);
    this.#step(host, { kind: 'members', nodes: this.#views.get(node)! });
    const wall = (this.#options.wall ?? 1_446_127_500) + this.now / SECOND;
    this.#step(host, { kind: 'start', wall });
  }

  /** SIGKILL or power-off. What it sent to the disk and has no reply for is lost. */
  kill(node: number): void {
    const host = this.#hosts.get(node)!;
    host.machine = undefined;
    host.life += 1;
  }

  input(node: number, input: QdiskInput): void {
    this.#deliver(this.#hosts.get(node)!, input);
  }

  /** Freezes a node: its clock stands still, what arrives waits. */
  pause(node: number): void {
    const host = this.#hosts.get(node)!;
    host.isPaused = true;
    host.pausedAt = this.now;
  }

  resume(node: number): void {
    const host = this.#hosts.get(node)!;
    host.isPaused = false;
    host.offset += this.now - host.pausedAt;
    for (const input of host.held.splice(0)) this.#step(host, input);
    this.#arm(host);
  }

  view(node: number, members: readonly number[]): void {
    this.#views.set(node, members);
    this.#deliver(this.#hosts.get(node)!, { kind: 'members', nodes: members });
  }

  inspect(node: number): ReturnType<Qdiskd['inspect']> {
    return this.#hosts.get(node)!.qdiskd!.inspect();
  }

  /** Gives some nodes a copy of the disk of their own: a fault that no quorum disk survives. */
  split(nodes: readonly number[]): void {
    const copy = new VirtualDisk();
    copy.bytes.set(this.disk.bytes);
    this.#split = { nodes, copy };
    this.diskOf = (node) => (nodes.includes(node) ? copy : this.disk);
  }

  /** One disk again, on which every node's block is the one that the node wrote. */
  merge(): void {
    const { nodes, copy } = this.#split;
    for (const node of nodes) this.disk.write(node * 8, copy.read(node * 8));
    this.diskOf = () => this.disk;
  }

  action(text: string): void {
    this.events.push({ at: this.now, node: 0, text: `ACTION ${text}` });
  }

  #deliver(host: Host, input: QdiskInput): void {
    if (host.machine === undefined) return;
    if (host.isPaused) host.held.push(input);
    else this.#step(host, input);
  }

  #step(host: Host, input: QdiskInput): void {
    const { machine } = host;
    if (machine === undefined) return;
    const outputs: QdiskOutput[] = [];
    machine.step(this.now - host.offset, input, (output) => {
      // Bytes are lent: a write is copied before the machine goes on.
      outputs.push(output.kind === 'write' ? { ...output, data: output.data.slice() } : output);
    });
    for (const output of outputs) this.#handle(host, output);
    this.#arm(host);
  }

  #arm(host: Host): void {
    const { machine } = host;
    if (machine === undefined || host.isPaused) return;
    const due = Math.max(this.now, machine.deadline() + host.offset);
    if (due === Infinity) return;
    const at = due + this.latencyOf(host.id, due);
    if (at === host.wakeAt) return;
    host.wakeAt = at;
    const { life } = host;
    this.at(at, () => {
      if (host.life !== life || host.wakeAt !== at || host.isPaused) return;
      host.wakeAt = Infinity;
      if (machine.deadline() + host.offset <= this.now) this.#step(host, { kind: 'wake' });
      else this.#arm(host);
    });
  }

  #handle(host: Host, output: QdiskOutput): void {
    switch (output.kind) {
      case 'read':
      case 'write':
        return this.#io(host, output);
      case 'run-heuristic': {
        const { takes, status } = this.#options.heuristic!(this.now, host.id);
        const { run } = output;
        return this.#later(host, takes, { kind: 'heuristic-ended', run, status });
      }
      case 'send':
        for (const other of this.#hosts.values()) {
          const payload = output.payload.slice();
          this.#later(other, MILLISECOND, { kind: 'data', from: host.id, payload });
        }
        return;
      case 'status-file':
        this.statusFiles.set(host.id, output.text);
        return;
      case 'reboot':
        host.machine = undefined;
        break;
      default:
        break;
    }
    this.events.push({ at: this.now, node: host.id, text: eventText(output) });
  }

  #io(host: Host, output: QdiskOutput & { kind: 'read' | 'write' }): void {
    const { kind, id, sector } = output;
    const base = kind === 'read' ? this.#options.readTime : this.#options.writeTime;
    const takes = (base ?? MILLISECOND / 5) + this.delayOf(host.id, kind);
    if (takes === Infinity) return;
    const { life } = host;
    this.at(this.now + takes, () => {
      if (host.life !== life) return;
      if (this.failsOf(host.id, kind, sector)) return this.#deliver(host, { kind: 'io-done', id, error: 'EIO' });
      const disk = this.diskOf(host.id);
      if (output.kind === 'write') disk.write(sector, output.data);
      this.#deliver(host, kind === 'read' ? { kind: 'io-done', id, data: disk.read(sector) } : { kind: 'io-done', id });
    });
  }

  #later(host: Host, delay: Nanos, input: QdiskInput): void {
    const { life } = host;
    this.at(this.now + delay, () => {
      if (host.life === life) this.#deliver(host, input);
    });
  }
}

/** Outputs in the words of the recorded timeline. */
function eventText(output: QdiskOutput): string {
  switch (output.kind) {
    case 'log':
      return output.text;
    case 'poll':
      return `CMAN poll ${output.isUp ? 1 : 0}`;
    case 'kill':
      return `CMAN kill ${output.node}`;
    case 'register':
      return `CMAN register qdev ${output.name} votes=${output.votes}`;
    case 'unregister':
      return 'CMAN unregister';
    case 'reboot':
      return 'REBOOT';
    case 'reject':
      return `reject sector ${output.sector}: ${output.reason}`;
    default:
      return output.kind;
  }
}
