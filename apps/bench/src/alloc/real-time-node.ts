import { performance } from 'node:perf_hooks';
import type { MessagePort } from 'node:worker_threads';
import { Dlm, type DlmInput, type DlmOutput } from '@quorate/dlm';
import { Gfs2, type Gfs2Input, type Gfs2Output, type Operation, type OperationResult } from '@quorate/gfs2';
import { MILLISECOND, type Nanos, Prng } from '@quorate/kernel';
import type { DiskReply, DiskRequest } from './disk-thread.js';
import { BLOCK } from './forgetful-disk.js';

const LOCKSPACE = 'storage';
const WALL = { sec: 1_782_907_200, nsec: 0 };

/** Calls between two looks at what has come from the disk and the others. */
const CALLS_A_TURN = 64;

export interface NodeThreadData {
  readonly id: number;
  readonly disk: MessagePort;
  /** To the lock managers of the others. */
  readonly peers: ReadonlyMap<number, MessagePort>;
}

type Event =
  | { readonly machine: 'gfs2'; readonly input: Gfs2Input }
  | { readonly machine: 'dlm'; readonly input: DlmInput };

type Awaited = 'mounted' | 'first-done' | 'unmounted';

/** A node with GFS2 and a lock manager, on the clock of the wall. Its disk and the other nodes are behind ports. */
export class RealTimeNode {
  readonly #data: NodeThreadData;
  readonly #gfs2: Gfs2;
  readonly #dlm: Dlm;
  readonly #events: Event[] = [];
  #isStepping = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  #timerAt: Nanos = Infinity;
  readonly #calls = new Map<number, (result: OperationResult) => void>();
  /** What came of the last call, if it was not awaited. */
  #ended: { readonly id: number; readonly result: OperationResult } | undefined = undefined;
  #lastId = 0;
  readonly #told = new Set<Awaited>();
  #onTold = (): void => {};

  constructor(data: NodeThreadData) {
    this.#data = data;
    this.#gfs2 = new Gfs2({ protocol: 'lock_dlm', era: 'modern', prng: new Prng(data.id, 5, 6, 7) });
    this.#dlm = new Dlm({ nodeId: data.id });
    data.disk.on('message', ({ id, bytes }: DiskReply) =>
      this.#run({ machine: 'gfs2', input: { kind: 'io-done', id, ...(bytes !== undefined && { data: bytes }) } }),
    );
    for (const [from, port] of data.peers) {
      port.on('message', (bytes: Uint8Array) => this.#run({ machine: 'dlm', input: { kind: 'packet', from, bytes } }));
    }
    const members = [data.id, ...data.peers.keys()].sort((a, b) => a - b).map((node) => ({ node }));
    this.#run({ machine: 'dlm', input: { kind: 'create', lockspace: LOCKSPACE, lvbLength: 32, isFs: true } });
    for (const node of data.peers.keys()) this.#run({ machine: 'dlm', input: { kind: 'connected', node } });
    this.#run({ machine: 'dlm', input: { kind: 'start', lockspace: LOCKSPACE, members } });
  }

  /** Mounts. The others may when the first one of all has. */
  async mount(isFirst: boolean): Promise<void> {
    this.#run({
      machine: 'gfs2',
      input: { kind: 'mount', jid: this.#data.id - 1, isFirst, options: '', wall: WALL },
    });
    await this.#until('mounted');
    if (isFirst) await this.#until('first-done');
  }

  /** Appends blocks to a file of its own, one a call, and gives how many. */
  async append(path: string, seconds: number): Promise<number> {
    const fd = await this.#call({ kind: 'open', path, flags: { write: true, create: true, append: true } });
    if (typeof fd !== 'number') throw new Error(`${path}: ${String(fd)}`);
    const append: Operation = { kind: 'append', fd, bytes: new Uint8Array(BLOCK).fill(7) };
    const end = performance.now() + 1000 * seconds;
    let blocks = 0;
    while (performance.now() < end) {
      for (let i = 0; i < CALLS_A_TURN; i++, blocks++) {
        const call = this.#call(append);
        const written = call instanceof Promise ? await call : call;
        if (written !== BLOCK) throw new Error(`${path}: ${String(written)}`);
      }
      await new Promise(setImmediate);
    }
    await this.#call({ kind: 'close', fd });
    return blocks;
  }

  /** Brings everything to the disk. */
  async unmount(isLast: boolean): Promise<void> {
    this.#run({ machine: 'gfs2', input: { kind: 'unmount', isLast } });
    await this.#until('unmounted');
    clearTimeout(this.#timer);
  }

  /** The result, at once if it is there. */
  #call(operation: Operation): OperationResult | Promise<OperationResult> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#run({ machine: 'gfs2', input: { kind: 'operation', id, operation } });
    if (this.#ended?.id === id) return this.#ended.result;
    return new Promise((resolve) => void this.#calls.set(id, resolve));
  }

  async #until(what: Awaited): Promise<void> {
    while (!this.#told.has(what)) {
      await new Promise<void>((resolve) => {
        this.#onTold = resolve;
      });
    }
  }

  #run(event: Event): void {
    this.#events.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const now = nanos();
      if (next.machine === 'gfs2') this.#gfs2.step(now, next.input, (output) => this.#fromGfs2(output));
      else this.#dlm.step(now, next.input, (output) => this.#fromDlm(output));
      if (this.#events.length === 0) this.#wakeThoseDue(now);
    }
    this.#isStepping = false;
    this.#sleep();
  }

  #wakeThoseDue(now: Nanos): void {
    if (this.#gfs2.deadline() <= now) this.#events.push({ machine: 'gfs2', input: { kind: 'wake' } });
    if (this.#dlm.deadline() <= now) this.#events.push({ machine: 'dlm', input: { kind: 'wake' } });
  }

  #sleep(): void {
    const due = Math.min(this.#gfs2.deadline(), this.#dlm.deadline());
    if (due >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = due;
    this.#timer = setTimeout(() => this.#onTimer(), Math.ceil(Math.max(0, due - nanos()) / MILLISECOND));
  }

  #onTimer(): void {
    this.#timerAt = Infinity;
    this.#run({ machine: 'gfs2', input: { kind: 'wake' } });
  }

  #fromGfs2(output: Gfs2Output): void {
    switch (output.kind) {
      case 'read':
      case 'flush':
        return this.#data.disk.postMessage(output satisfies DiskRequest);
      case 'write': {
        const data = output.data.slice();
        return this.#data.disk.postMessage({ ...output, data } satisfies DiskRequest, [data.buffer]);
      }
      case 'lock':
      case 'unlock': {
        const lvb = output.lvb?.slice();
        return this.#run({ machine: 'dlm', input: { ...output, lockspace: LOCKSPACE, ...(lvb && { lvb }) } });
      }
      case 'result': {
        const { id, result } = output;
        const resolve = this.#calls.get(id);
        this.#calls.delete(id);
        this.#ended = { id, result };
        return resolve?.(result);
      }
      case 'mounted':
      case 'first-done':
      case 'unmounted':
        this.#told.add(output.kind);
        return this.#onTold();
      case 'mount-failed':
      case 'unmount-failed':
      case 'withdrawn':
        throw new Error(`node ${this.#data.id}: ${output.kind}`);
    }
  }

  #fromDlm(output: DlmOutput): void {
    switch (output.kind) {
      case 'packet':
        return this.#data.peers.get(output.to)!.postMessage(output.bytes.slice());
      case 'cast': {
        const { handle, status, mode, flags, lvb } = output;
        const kept = lvb?.slice();
        const input: Gfs2Input = { kind: 'lock-cast', handle, status, mode, flags, ...(kept && { lvb: kept }) };
        return this.#run({ machine: 'gfs2', input });
      }
      case 'bast':
        return this.#run({ machine: 'gfs2', input: { kind: 'lock-bast', handle: output.handle, mode: output.mode } });
      case 'call-refused': {
        const { handle, errno } = output;
        return this.#run({ machine: 'gfs2', input: { kind: 'call-refused', handle, errno } });
      }
    }
  }
}

function nanos(): Nanos {
  return Math.round(performance.now() * MILLISECOND);
}
