import { Checker, EventQueue, MILLISECOND, type Nanos, Prng, SECOND, type Violation } from '@quorate/kernel';
import type { Caller } from '../src/calls/caller.js';
import type { Operation, OperationResult } from '../src/calls/operation.js';
import {
  GfsControld,
  type GfsControldInput,
  type GfsControldOutput,
  type LeaveReason,
} from '../src/control/gfs-controld.js';
import { Gfs2 } from '../src/gfs2.js';
import type { Gfs2Input, Gfs2Output } from '../src/gfs2-ports.js';
import { invariants } from '../src/invariants.js';
import { FakeDlm } from './fake-dlm.js';
import type { MemoryDisk } from './memory-disk.js';
import { WALL } from './node-driver.js';

/** One life of a node. */
interface TestNode {
  readonly id: number;
  readonly life: number;
  readonly gfs2: Gfs2;
  readonly controld: GfsControld;
  isMounted: boolean;
  isUnmounted: boolean;
  seq: number;
  /** Its requests to the disk that are under way. */
  readonly inFlight: Set<DiskRequest>;
  readonly results: Map<number, (result: OperationResult) => void>;
  /** `off` loses everything; `paused` keeps what comes until it runs again. */
  power: 'on' | 'paused' | 'off';
  readonly backlog: (() => void)[];
  /** Neither members nor lock manager hear of it any more. */
  isCutOff: boolean;
  /** The disk refuses whatever it asks for. */
  isFenced: boolean;
  /** What it reads fails. */
  isUnreadable: boolean;
  /** Until when it has been told things by the lock manager: they come in order. */
  dlmUntil: Nanos;
}

interface DiskRequest {
  readonly id: number;
  /** Carries it out whole. */
  readonly run: () => Uint8Array | undefined;
  /** Of a write: its first block and its bytes. */
  readonly written?: { readonly block: number; readonly data: Uint8Array };
}

/** How long things take, and what a crash does, is drawn from a seed. */
export interface ClusterOptions {
  /** As in `mount -o`. */
  readonly mountOptions?: string;
  readonly seed: number;
  readonly era?: 'rhel6' | 'modern';
}

/**
 * Nodes that share a disk, a lock manager and a process group, in virtual time.
 *
 * Every request to the disk takes 0.1 to 1 ms and they overtake each other; a message of the lock manager takes 50 to 300 us.
 */
export class Cluster {
  readonly disk: MemoryDisk;
  readonly log: string[] = [];
  readonly #options: ClusterOptions;
  readonly #prng: Prng;
  readonly #queue = new EventQueue();
  readonly #events: ((() => void) | undefined)[] = [];
  readonly #nodes = new Map<number, TestNode>();
  /** Nodes that the others have given up, but which still run. */
  readonly #strays = new Map<number, TestNode>();
  readonly #lives = new Map<number, number>();
  readonly #dlm: FakeDlm;
  readonly #checker = new Checker(invariants);
  readonly #members: number[] = [];
  /** Nodes known to be gone that may still write. */
  readonly #unfenced = new Set<number>();
  /** When the process group delivers next: everything in the same order everywhere. */
  #groupUntil: Nanos = 0;
  #order = 0;
  #lastId = 0;
  now: Nanos = 0;
  /** Everything that has happened so far, counted. */
  events = 0;

  constructor(disk: MemoryDisk, options: ClusterOptions) {
    this.disk = disk;
    this.#options = options;
    this.#prng = Prng.derive({ hi: 0, lo: options.seed }, 'cluster');
    this.#dlm = new FakeDlm((id, event) => this.#fromDlm(id, event));
  }

  get violations(): readonly Violation[] {
    return this.#checker.violations;
  }

  /** Starts a node and mounts; ready when `run` has passed enough time. */
  boot(id: number): void {
    const life = (this.#lives.get(id) ?? 0) + 1;
    this.#lives.set(id, life);
    const stray = this.#strays.get(id);
    if (stray !== undefined) stray.power = 'off';
    this.#strays.delete(id);
    const node: TestNode = {
      id,
      life,
      gfs2: new Gfs2({
        protocol: 'lock_dlm',
        era: this.#options.era ?? 'rhel6',
        blockSize: this.disk.blockSize,
        prng: Prng.derive({ hi: life, lo: this.#options.seed }, `node/${id}`),
        observe: (fact) => {
          node.seq += 1;
          this.#checker.observe({ ...fact, node: id, life, seq: node.seq, at: this.now });
        },
      }),
      controld: new GfsControld({ node: id }),
      isMounted: false,
      isUnmounted: false,
      seq: 0,
      inFlight: new Set(),
      results: new Map(),
      power: 'on',
      backlog: [],
      isCutOff: false,
      isFenced: false,
      isUnreadable: false,
      dlmUntil: 0,
    };
    this.#nodes.set(id, node);
    this.#membership();
    this.#control(node, { kind: 'join', filesystem: 'storage' });
  }

  isMounted(id: number): boolean {
    return this.#nodes.get(id)?.isMounted ?? false;
  }

  get up(): number[] {
    return [...this.#nodes.keys()];
  }

  /** Starts an operation; `done` is called with its result, never if the node dies before. */
  start(id: number, operation: Operation, done: (result: OperationResult) => void, caller?: Caller): void {
    const node = this.#nodes.get(id) ?? this.#strays.get(id)!;
    this.#lastId += 1;
    node.results.set(this.#lastId, done);
    this.#gfs2(node, { kind: 'operation', id: this.#lastId, operation, ...(caller && { caller }) });
  }

  /** Carries out an operation while time passes for all. */
  run(id: number, operation: Operation, caller?: Caller): OperationResult {
    let result: OperationResult | 'pending' = 'pending';
    const done = (value: OperationResult): void => {
      result = value;
    };
    this.start(id, operation, done, caller);
    this.passUntil(() => result !== 'pending', `${operation.kind} on node ${id}`);
    return result as OperationResult;
  }

  /** Without `isLast`, what the process group says. */
  unmount(id: number, isLast: boolean = this.#members.length === 1): void {
    const node = this.#nodes.get(id)!;
    this.#gfs2(node, { kind: 'unmount', isLast });
    this.passUntil(() => node.isUnmounted && !this.#members.includes(id), `unmount on node ${id}`);
    this.#nodes.delete(id);
    this.#membership();
  }

  /** A node loses power. What it has sent to the disk arrives, or a part of it, or nothing. The others go on when it is fenced. */
  kill(id: number): void {
    const node = this.#nodes.get(id)!;
    for (const request of node.inFlight) this.#cutShort(request);
    node.power = 'off';
    this.#lose(node);
  }

  /** A write is lost, whole or torn: each of its blocks arrives or does not. */
  #cutShort({ written }: DiskRequest): void {
    if (written === undefined) return;
    const { block, data } = written;
    const { blockSize } = this.disk;
    const outcome = (['lost', 'whole', 'torn'] as const)[this.#prng.below(3)]!;
    for (let at = 0; at < data.length; at += blockSize) {
      const isThere = outcome === 'whole' || (outcome === 'torn' && this.#prng.below(2) === 0);
      if (isThere) this.disk.write(block + at / blockSize, data.subarray(at, at + blockSize));
    }
  }

  /** A node hangs until `resume`. The others give it up and fence it. */
  pause(id: number): void {
    const node = this.#nodes.get(id)!;
    node.power = 'paused';
    this.#cutOff(node);
  }

  /** A hanging node goes on where it stopped, without knowing that time has passed. */
  resume(id: number): void {
    const node = this.#strays.get(id)!;
    node.power = 'on';
    for (const event of node.backlog.splice(0)) event();
  }

  /** A node hears nothing from the others any more, nor they from it. It goes on until it is fenced, 20 s later. */
  isolate(id: number): void {
    this.#cutOff(this.#nodes.get(id)!);
  }

  /** From now on the disk refuses what the node asks for, while it can still talk to the others. */
  cutDisk(id: number): void {
    this.#nodes.get(id)!.isFenced = true;
  }

  /** Whether what the node reads fails. */
  failReads(id: number, isUnreadable: boolean): void {
    this.#nodes.get(id)!.isUnreadable = isUnreadable;
  }

  #cutOff(node: TestNode): void {
    node.isCutOff = true;
    this.#strays.set(node.id, node);
    this.#lose(node);
  }

  /** The others notice after 2 s that a node is gone; 20 s after the beginning it is fenced and the lock manager runs again. */
  #lose(node: TestNode): void {
    const { id } = node;
    this.#nodes.delete(id);
    this.after(2 * SECOND, () => {
      this.#unfenced.add(id);
      this.#dlm.stop();
      for (const other of this.#nodes.values()) this.#control(other, { kind: 'dlm-stopped', lockspace: 'storage' });
      const at = this.#members.indexOf(id);
      if (at >= 0) {
        this.#members.splice(at, 1);
        this.#confchg([], [{ node: id, reason: 'nodedown' }]);
      }
      this.#membership();
    });
    this.after(20 * SECOND, () => {
      node.isFenced = true;
      this.#unfenced.delete(id);
      this.#dlm.purge(id);
      if (this.#unfenced.size > 0) return;
      this.#dlm.start();
      for (const other of this.#nodes.values()) this.#control(other, { kind: 'dlm-started', lockspace: 'storage' });
    });
  }

  after(span: Nanos, event: () => void): void {
    this.#order += 1;
    this.#events.push(event);
    this.#queue.push(this.now + span, this.#order, this.#events.length - 1);
  }

  pass(span: Nanos): void {
    const end = this.now + span;
    while (this.#next(end));
    this.now = end;
  }

  passUntil(isDone: () => boolean, what: string): void {
    const end = this.now + 120 * SECOND;
    while (!isDone()) if (!this.#next(end)) throw new Error(`${what} never ends: ${this.#state()}`);
  }

  /** Runs what happens next, if that is not after `end`. */
  #next(end: Nanos): boolean {
    let due = this.#queue.time;
    let sleeper: TestNode | undefined;
    let daemon: TestNode | undefined;
    for (const node of [...this.#nodes.values(), ...this.#strays.values()]) {
      if (node.power !== 'on') continue;
      if (node.gfs2.deadline() < due) {
        due = node.gfs2.deadline();
        sleeper = node;
        daemon = undefined;
      }
      if (node.controld.deadline() < due) {
        due = node.controld.deadline();
        daemon = node;
        sleeper = undefined;
      }
    }
    if (due > end) return false;
    this.events += 1;
    this.now = Math.max(this.now, due);
    if (sleeper !== undefined) this.#gfs2(sleeper, { kind: 'wake' });
    else if (daemon !== undefined) this.#control(daemon, { kind: 'wake' });
    else {
      const slot = this.#queue.pop();
      const event = this.#events[slot]!;
      this.#events[slot] = undefined;
      event();
    }
    return true;
  }

  #state(): string {
    const nodes = [...this.#nodes.values()].map(({ id, gfs2, inFlight }) => {
      const view = gfs2.inspect();
      if (!('glocks' in view)) return `node ${id}: not mounted`;
      const stuck = view.glocks.filter(
        ({ isLocked, isFrozen, holders }) => isLocked || isFrozen || holders.some(({ status }) => status === 'waiting'),
      );
      return `node ${id}: ${view.operations} operations, ${inFlight.size} in flight, ${JSON.stringify(stuck)}`;
    });
    return `${nodes.join('\n').slice(0, 3000)}\n${this.log.slice(-20).join('\n')}`;
  }

  #gfs2(node: TestNode, input: Gfs2Input): void {
    this.#atNode(node, () => node.gfs2.step(this.now, input, (output) => this.#fromGfs2(node, output)));
  }

  #control(node: TestNode, input: GfsControldInput): void {
    this.#atNode(node, () => node.controld.step(this.now, input, (output) => this.#fromControld(node, output)));
  }

  #atNode(node: TestNode, event: () => void): void {
    if (node.power === 'on') event();
    else if (node.power === 'paused') node.backlog.push(event);
  }

  #later(node: TestNode, input: Gfs2Input): void {
    this.after(0, () => this.#gfs2(node, input));
  }

  #fromGfs2(node: TestNode, output: Gfs2Output): void {
    switch (output.kind) {
      case 'read':
      case 'write':
      case 'discard':
      case 'flush':
        return this.#toDisk(node, output);
      case 'lock':
      case 'unlock': {
        const call = output.lvb === undefined ? output : { ...output, lvb: output.lvb.slice() };
        return this.after(this.#dlmLatency(), () => {
          if (node.power !== 'off' && !node.isCutOff) this.#dlm.call(node.id, call);
        });
      }
      case 'mounted':
        node.isMounted = true;
        return this.after(0, () => this.#control(node, { kind: 'mount-done', filesystem: 'storage', isSuccess: true }));
      case 'mount-failed':
        throw new Error(`node ${node.id}: ${output.text}`);
      case 'first-done':
        return this.after(0, () => this.#control(node, { kind: 'first-done', filesystem: 'storage' }));
      case 'recovered': {
        const { jid, result } = output;
        return this.after(0, () => this.#control(node, { kind: 'recovered', filesystem: 'storage', jid, result }));
      }
      case 'withdrawn':
        this.log.push(`node ${node.id} withdrew: ${output.reason}`);
        return this.after(0, () => this.#control(node, { kind: 'withdrawn', filesystem: 'storage' }));
      case 'unmounted':
        node.isUnmounted = true;
        return this.after(0, () => this.#control(node, { kind: 'leave', filesystem: 'storage' }));
      case 'unmount-failed':
        throw new Error(`node ${node.id}: ${output.errno}`);
      case 'result': {
        const done = node.results.get(output.id);
        node.results.delete(output.id);
        const result = output.result instanceof Uint8Array ? output.result.slice() : output.result;
        return this.after(0, () => this.#atNode(node, () => done?.(result)));
      }
      case 'log':
        this.log.push(`${this.now / MILLISECOND} node ${node.id}: ${output.text}`);
        return;
    }
  }

  #toDisk(node: TestNode, output: Extract<Gfs2Output, { kind: 'read' | 'write' | 'discard' | 'flush' }>): void {
    const data = output.kind === 'write' ? output.data.slice() : undefined;
    const request: DiskRequest = {
      id: output.id,
      run: () => {
        if (output.kind === 'read') return this.disk.read(output.block, output.count);
        if (output.kind === 'write') this.disk.write(output.block, data!);
        if (output.kind === 'discard') this.disk.discard(output.block, output.count);
        return undefined;
      },
      ...(output.kind === 'write' && { written: { block: output.block, data: data! } }),
    };
    node.inFlight.add(request);
    this.after((100 + this.#prng.below(900)) * 1000, () => {
      if (!node.inFlight.delete(request) || node.power === 'off') return;
      const { id } = request;
      if (node.isFenced) return this.#gfs2(node, { kind: 'io-done', id, error: 'RESERVATION CONFLICT' });
      if (node.isUnreadable && output.kind === 'read') return this.#gfs2(node, { kind: 'io-done', id, error: 'EIO' });
      const bytes = request.run();
      this.#gfs2(node, { kind: 'io-done', id, ...(bytes === undefined ? {} : { data: bytes }) });
    });
  }

  #dlmLatency(): Nanos {
    return (50 + this.#prng.below(250)) * 1000;
  }

  #fromDlm(id: number, event: Gfs2Input): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    node.dlmUntil = Math.max(node.dlmUntil, this.now + this.#dlmLatency());
    this.after(node.dlmUntil - this.now, () => this.#gfs2(node, event));
  }

  #fromControld(node: TestNode, output: GfsControldOutput): void {
    switch (output.kind) {
      case 'cpg-join':
        if (node.isCutOff) return;
        this.#members.push(node.id);
        return this.#confchg([node.id], []);
      case 'cpg-leave':
        if (node.isCutOff) return;
        this.#members.splice(this.#members.indexOf(node.id), 1);
        return this.#confchg([], [{ node: node.id, reason: 'leave' }], node);
      case 'cpg-mcast': {
        if (node.isCutOff) return;
        const payload = output.payload.slice();
        for (const id of this.#members) {
          this.#toGroup(id, { kind: 'message', group: output.group, from: node.id, payload });
        }
        return;
      }
      case 'mount':
        this.log.push(`${this.now / MILLISECOND} node ${node.id}: mount jid=${output.jid} ${output.isFirst}`);
        return this.#later(node, {
          kind: 'mount',
          jid: output.jid,
          isFirst: output.isFirst,
          options: this.#options.mountOptions ?? '',
          wall: WALL,
        });
      case 'block-locks':
        this.log.push(`${this.now / MILLISECOND} node ${node.id}: block ${output.isBlocked}`);
        // Between the daemon and the kernel nothing takes time: before the next answer of the lock manager it is so.
        return this.#gfs2(node, { kind: 'block-locks', isBlocked: output.isBlocked });
      case 'recover-journal':
        return this.#later(node, { kind: 'recover-journal', jid: output.jid });
      case 'withdraw-done':
        return this.after(0, () => {
          this.#gfs2(node, { kind: 'unmount', isLast: false });
          this.#dlm.purge(node.id);
          node.power = 'off';
          this.#nodes.delete(node.id);
          this.#membership();
        });
      case 'left':
      case 'fs-registered':
      case 'fs-notified':
      case 'kick':
      case 'refused':
      case 'reject':
      case 'log':
        return;
    }
  }

  #confchg(joined: readonly number[], left: readonly { node: number; reason: LeaveReason }[], leaver?: TestNode): void {
    const members = [...this.#members];
    const receivers = leaver === undefined ? members : [...members, leaver.id];
    for (const id of receivers) {
      this.#toGroup(id, { kind: 'confchg', group: 'gfs:mount:storage', members, joined, left });
    }
  }

  /** Delivers in the one order of the process group, to this life of the node only. */
  #toGroup(id: number, input: GfsControldInput): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#groupUntil = Math.max(this.#groupUntil, this.now + MILLISECOND);
    this.after(this.#groupUntil - this.now, () => this.#control(node, input));
  }

  #membership(): void {
    const members = [...this.#nodes.keys()];
    for (const node of this.#nodes.values()) this.#control(node, { kind: 'membership', members, isQuorate: true });
  }
}
