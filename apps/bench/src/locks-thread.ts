import { performance } from 'node:perf_hooks';
import { type MessagePort, workerData } from 'node:worker_threads';
import { Dlm, Mode } from '@quorate/dlm';
import { DlmNode, type Lock, type LockspaceClient } from '@quorate/dlm/client';
import { type MessagePortLike, PortHost } from '@quorate/dlm/ports';
import { expose } from 'comlink';
import { endpointOf } from './locks/endpoint.js';
import { grants, type Latency, type Locks, latency, pairs } from './locks/lockers.js';
import { PhaseLog } from './locks/phases.js';

export interface PeerPorts {
  readonly locks: MessagePort;
  readonly bare: MessagePort;
}

/** What a thread is given. */
export interface LockThreadData {
  readonly nodeId: number;
  /** The threads of the other nodes. */
  readonly peers: ReadonlyMap<number, PeerPorts>;
  /** Of a switch: what comes on one of a pair goes out on the other. */
  readonly crossings: readonly (readonly [MessagePort, MessagePort])[];
  readonly control: MessagePort;
}

const LOCKSPACE = 'bench';

/** A node in a thread, and what is measured in it. */
export class LockThread {
  readonly #data: LockThreadData;
  #node: DlmNode | undefined = undefined;
  #client: LockspaceClient | undefined = undefined;
  readonly #log = new PhaseLog();
  /** What comes on the bare port that is measured. */
  #onBare = (): void => {};

  constructor(data: LockThreadData) {
    this.#data = data;
    for (const [a, b] of data.crossings) {
      a.on('message', (bytes: Uint8Array) => b.postMessage(bytes));
      b.on('message', (bytes: Uint8Array) => a.postMessage(bytes));
    }
  }

  /** Sends back what comes bare from that node. */
  echo(peer: number): void {
    const { bare } = this.#data.peers.get(peer)!;
    bare.on('message', (bytes: Uint8Array) => bare.postMessage(bytes));
  }

  /** Hands on what comes bare from either of two nodes to the other one. */
  relay(a: number, b: number): void {
    const [one, other] = [this.#data.peers.get(a)!.bare, this.#data.peers.get(b)!.bare];
    one.on('message', (bytes: Uint8Array) => other.postMessage(bytes));
    other.on('message', (bytes: Uint8Array) => one.postMessage(bytes));
  }

  /** The other end of `echo`. */
  listen(peer: number): void {
    this.#data.peers.get(peer)!.bare.on('message', () => this.#onBare());
  }

  /** Microseconds that each bare message takes there and back; sorted. */
  async roundTrips(peer: number, bytes: number, count: number): Promise<Float64Array> {
    const samples = new Float64Array(count);
    const message = new Uint8Array(bytes);
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await this.#sendBare(peer, message);
      samples[i] = (performance.now() - began) * 1000;
    }
    return samples.sort();
  }

  /** Bare messages a second to that node and back, each counted once, if each buffer holds `batch` of them and one buffer is under way. */
  async batched(peer: number, bytes: number, batch: number, seconds: number): Promise<number> {
    const end = performance.now() + seconds * 1000;
    let messages = 0;
    for (; performance.now() < end; messages += batch) await this.#sendBare(peer, new Uint8Array(batch * bytes));
    return messages / seconds;
  }

  #sendBare(peer: number, bytes: Uint8Array): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#onBare = resolve;
      this.#data.peers.get(peer)!.bare.postMessage(bytes);
    });
  }

  async open(protocol: '3.1' | '3.2', log?: PhaseLog): Promise<void> {
    const { nodeId, peers } = this.#data;
    const ports = new Map(
      [...peers].map(([peer, { locks }]): [number, MessagePortLike] => [peer, log?.port(locks) ?? locks]),
    );
    const host = new PortHost({ ports, clock: () => performance.now(), setTimer: setTimeout, defer: setImmediate });
    this.#node = new DlmNode(new Dlm({ nodeId, protocol }), log?.host(host) ?? host);
    host.attach(this.#node);
    this.#client = await this.#node.open(LOCKSPACE, { members: [nodeId, ...peers.keys()].map((node) => ({ node })) });
  }

  /** Takes locks and keeps them. */
  async hold(names: readonly string[], mode: number): Promise<void> {
    for (let at = 0; at < names.length; at += 1000) {
      await Promise.all(names.slice(at, at + 1000).map((name) => this.#client!.lock(name, mode)));
    }
  }

  latency(names: readonly string[], count: number, seconds?: number): Promise<Latency> {
    return latency(this.#locks(), names, count, seconds);
  }

  pairs(names: readonly string[], seconds: number): Promise<number[]> {
    return pairs(this.#locks(), names, seconds);
  }

  grants(name: string, lockers: number, seconds: number): Promise<Float64Array> {
    return grants(this.#locks(), name, lockers, seconds);
  }

  /** Like `open`; what the thread does is noted. */
  openNoting(): Promise<void> {
    return this.open('3.1', this.#log);
  }

  /** Takes and releases each lock in turn, and forgets what was noted before. */
  async noteAcquires(names: readonly string[], count: number): Promise<void> {
    this.#log.instants.length = 0;
    for (let i = 0; i < count; i++) {
      this.#log.note('called');
      const lock = await this.#client!.lock(names[i % names.length]!, Mode.EX);
      this.#log.note('called back');
      await lock.unlock();
    }
  }

  /** What was noted since the last time. */
  noted(): PhaseLog['instants'] {
    return this.#log.instants.splice(0);
  }

  stop(): void {
    this.#node!.stop(LOCKSPACE);
  }

  start(members: readonly number[]): void {
    this.#node!.start(
      LOCKSPACE,
      members.map((node) => ({ node })),
    );
  }

  /** Settles when locks are granted. */
  async isServed(): Promise<void> {
    await (await this.#client!.lock(`served by ${this.#data.nodeId}`, Mode.NL)).unlock();
  }

  #locks(): Locks<Lock> {
    const client = this.#client!;
    return { acquire: (name) => client.lock(name, Mode.EX), release: (lock) => lock.unlock() };
  }
}

const data = workerData as LockThreadData;
expose(new LockThread(data), endpointOf(data.control));
