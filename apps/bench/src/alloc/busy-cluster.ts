import { Dlm, type DlmInput, type DlmOutput } from '@quorate/dlm';
import {
  Gfs2,
  type Gfs2Input,
  type Gfs2Output,
  GlockType,
  mkfs,
  type Operation,
  type OperationResult,
} from '@quorate/gfs2';
import { EventQueue, MICROSECOND, MILLISECOND, type Nanos, Prng } from '@quorate/kernel';
import { BLOCK, ForgetfulDisk } from './forgetful-disk.js';

const LOCKSPACE = 'storage';
const WALL = { sec: 1_782_907_200, nsec: 0 };

/** Commands that the disk has in service at once; the rest wait. */
const DISK_QUEUE = 32;
/** 200 MB/s: what it passes for a byte. */
const DISK_NANOS_PER_BYTE = 5;

/** What a step of each machine costs the processor of its node. */
export interface StepCosts {
  readonly gfs2: Nanos;
  readonly dlm: Nanos;
}

type Event =
  | { readonly machine: 'gfs2'; readonly input: Gfs2Input }
  | { readonly machine: 'dlm'; readonly input: DlmInput };

interface Node {
  readonly id: number;
  readonly gfs2: Gfs2;
  readonly dlm: Dlm;
  readonly results: Map<number, (result: OperationResult) => void>;
  /** Its processor is at work until then; what comes before waits. */
  busyUntil: Nanos;
  /** When its machines are to be woken, as far as there is an event for it. */
  readonly wakeAt: Record<Event['machine'], Nanos>;
  isMounted: boolean;
  isFirstDone: boolean;
}

/**
 * Nodes with GFS2 and a lock manager each, on one disk and one network, in virtual time in which processors cost time too.
 *
 * Reads take 100 us and 200 us more on average, writes 150 and 300, a flush 1 ms; a packet takes 50 us and 30 more.
 */
export class BusyCluster {
  readonly #disk: ForgetfulDisk;
  readonly #costs: StepCosts;
  readonly #prng = Prng.derive({ hi: 0, lo: 11 }, 'busy cluster');
  readonly #nodes: Node[];
  readonly #queue = new EventQueue(1024);
  readonly #events: ({ readonly node: Node; readonly event: Event } | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #order = 0;
  #lastId = 0;
  now: Nanos = 0;
  /** Until when each of the disk's places is taken, and its transfers. */
  readonly #diskSlots: Float64Array = new Float64Array(DISK_QUEUE);
  #transfersUntil: Nanos = 0;
  /** How long it has been passing bytes. */
  transferTime: Nanos = 0;
  /** When the last packet of a channel arrives: they do not overtake each other. */
  readonly #channels = new Map<number, Nanos>();
  readonly #lastOwner = new Map<number, number>();
  /** Times that the lock of a resource group has gone to another node than the one that had it exclusive last. */
  rgrpTransfers = 0;
  /** Processor time of steps and their number, measured. */
  readonly spent: Record<Event['machine'], { nanos: number; steps: number }> = {
    gfs2: { nanos: 0, steps: 0 },
    dlm: { nanos: 0, steps: 0 },
  };

  constructor(nodes: number, mib: number, costs: StepCosts) {
    this.#costs = costs;
    this.#disk = new ForgetfulDisk(mib);
    const write = (at: number, bytes: Uint8Array): void => this.#disk.write(at / BLOCK, bytes);
    const options = {
      lockTable: 'bench:storage',
      journals: nodes,
      journalMiB: 32,
      wall: WALL,
      prng: new Prng(1, 2, 3, 4),
    };
    mkfs(options, { sizeBytes: this.#disk.sizeBytes, write });
    this.#disk.keepJournals(nodes);
    this.#nodes = Array.from({ length: nodes }, (_, i) => this.#newNode(i + 1));
    const members = this.#nodes.map(({ id }) => ({ node: id }));
    for (const node of this.#nodes) {
      this.#run(node, { machine: 'dlm', input: { kind: 'create', lockspace: LOCKSPACE, lvbLength: 32, isFs: true } });
      for (const { id } of this.#nodes) {
        if (id !== node.id) this.#run(node, { machine: 'dlm', input: { kind: 'connected', node: id } });
      }
    }
    for (const node of this.#nodes) {
      this.#run(node, { machine: 'dlm', input: { kind: 'start', lockspace: LOCKSPACE, members } });
    }
    this.pass(500 * MILLISECOND);
    for (const [jid, node] of this.#nodes.entries()) {
      this.#run(node, { machine: 'gfs2', input: { kind: 'mount', jid, isFirst: jid === 0, options: '', wall: WALL } });
      this.passUntil(() => node.isMounted && (jid > 0 || node.isFirstDone));
    }
  }

  /** Carries out a call on a node; `done` hears its result. */
  start(id: number, operation: Operation, done: (result: OperationResult) => void): void {
    const node = this.#nodes[id - 1]!;
    this.#lastId += 1;
    node.results.set(this.#lastId, done);
    this.#at(this.now, node, { machine: 'gfs2', input: { kind: 'operation', id: this.#lastId, operation } });
  }

  pass(span: Nanos): void {
    const end = this.now + span;
    while (this.#queue.time <= end) this.#next();
    this.now = end;
  }

  passUntil(isDone: () => boolean): void {
    while (!isDone()) {
      if (this.#queue.size === 0) throw new Error('nothing happens any more');
      this.#next();
    }
  }

  #newNode(id: number): Node {
    const node: Node = {
      id,
      gfs2: new Gfs2({
        protocol: 'lock_dlm',
        era: 'modern',
        prng: new Prng(id, 5, 6, 7),
        observe: (fact) => {
          if (fact.kind === 'gfs2.glock' && fact.type === GlockType.rgrp && fact.state === 'EX')
            this.#owned(fact.number, id);
        },
      }),
      dlm: new Dlm({ nodeId: id }),
      results: new Map(),
      busyUntil: 0,
      wakeAt: { gfs2: Infinity, dlm: Infinity },
      isMounted: false,
      isFirstDone: false,
    };
    return node;
  }

  #owned(rgrp: number, id: number): void {
    const last = this.#lastOwner.get(rgrp);
    if (last !== undefined && last !== id) this.rgrpTransfers += 1;
    this.#lastOwner.set(rgrp, id);
  }

  #at(time: Nanos, node: Node, event: Event): void {
    const slot = this.#freeSlots.pop() ?? this.#events.length;
    this.#events[slot] = { node, event };
    this.#order += 1;
    this.#queue.push(time, this.#order, slot);
  }

  #next(): void {
    const { time } = this.#queue;
    const slot = this.#queue.pop();
    const { node, event } = this.#events[slot]!;
    this.#events[slot] = undefined;
    this.#freeSlots.push(slot);
    this.now = time;
    if (node.busyUntil > time) this.#at(node.busyUntil, node, event);
    else this.#run(node, event);
  }

  #run(node: Node, event: Event): void {
    const { now } = this;
    if (event.input.kind === 'wake') node.wakeAt[event.machine] = Infinity;
    const until = now + this.#costs[event.machine];
    node.busyUntil = until;
    const start = process.hrtime.bigint();
    if (event.machine === 'gfs2') node.gfs2.step(now, event.input, (output) => this.#fromGfs2(node, until, output));
    else node.dlm.step(now, event.input, (output) => this.#fromDlm(node, until, output));
    const spent = this.spent[event.machine];
    spent.nanos += Number(process.hrtime.bigint() - start);
    spent.steps += 1;
    this.#sleep(node, event.machine, until);
  }

  /** Sees to it that a machine is woken when it wants that. */
  #sleep(node: Node, machine: Event['machine'], earliest: Nanos): void {
    const due = Math.max(node[machine].deadline(), earliest);
    if (due >= node.wakeAt[machine]) return;
    node.wakeAt[machine] = due;
    this.#at(due, node, { machine, input: { kind: 'wake' } });
  }

  #fromGfs2(node: Node, at: Nanos, output: Gfs2Output): void {
    const reply = (time: Nanos, input: Gfs2Input): void => this.#at(time, node, { machine: 'gfs2', input });
    switch (output.kind) {
      case 'read':
        reply(this.#transfer(at, 'read', output.count * BLOCK), {
          kind: 'io-done',
          id: output.id,
          data: this.#disk.read(output.block, output.count),
        });
        break;
      case 'write':
        this.#disk.write(output.block, output.data);
        reply(this.#transfer(at, 'write', output.data.length), { kind: 'io-done', id: output.id });
        break;
      case 'flush':
        reply(at + MILLISECOND, { kind: 'io-done', id: output.id });
        break;
      case 'lock':
      case 'unlock': {
        const lvb = output.lvb?.slice();
        const input: DlmInput = { ...output, lockspace: LOCKSPACE, ...(lvb && { lvb }) };
        this.#at(at, node, { machine: 'dlm', input });
        break;
      }
      case 'mounted':
        node.isMounted = true;
        break;
      case 'first-done':
        node.isFirstDone = true;
        break;
      case 'result': {
        const done = node.results.get(output.id)!;
        node.results.delete(output.id);
        done(output.result);
        break;
      }
      case 'mount-failed':
      case 'withdrawn':
        throw new Error(`node ${node.id}: ${output.kind}`);
    }
  }

  #fromDlm(node: Node, at: Nanos, output: DlmOutput): void {
    switch (output.kind) {
      case 'packet': {
        const channel = node.id * 100 + output.to;
        const latency = (50 - 30 * Math.log(1 - this.#unit())) * MICROSECOND;
        const arrival = Math.max(at + latency, this.#channels.get(channel) ?? 0);
        this.#channels.set(channel, arrival);
        const input: DlmInput = { kind: 'packet', from: node.id, bytes: output.bytes.slice() };
        this.#at(arrival, this.#nodes[output.to - 1]!, { machine: 'dlm', input });
        break;
      }
      case 'cast': {
        const { handle, status, mode, flags, lvb } = output;
        const kept = lvb?.slice();
        const input: Gfs2Input = { kind: 'lock-cast', handle, status, mode, flags, ...(kept && { lvb: kept }) };
        this.#at(at, node, { machine: 'gfs2', input });
        break;
      }
      case 'bast': {
        const { handle, mode } = output;
        this.#at(at, node, { machine: 'gfs2', input: { kind: 'lock-bast', handle, mode } });
        break;
      }
      case 'call-refused': {
        const { handle, errno } = output;
        this.#at(at, node, { machine: 'gfs2', input: { kind: 'call-refused', handle, errno } });
        break;
      }
    }
  }

  /** When the disk has done it. */
  #transfer(at: Nanos, kind: 'read' | 'write', bytes: number): Nanos {
    const slots = this.#diskSlots;
    let first = 0;
    for (let i = 1; i < DISK_QUEUE; i++) if (slots[i]! < slots[first]!) first = i;
    const begin = Math.max(at, slots[first]!);
    const [base, mean] = kind === 'read' ? [100, 200] : [150, 300];
    const span = bytes * DISK_NANOS_PER_BYTE;
    this.transferTime += span;
    this.#transfersUntil = Math.max(this.#transfersUntil, begin) + span;
    const latency = (base - mean * Math.log(1 - this.#unit())) * MICROSECOND;
    const done = Math.max(this.#transfersUntil, begin + latency);
    slots[first] = done;
    return done;
  }

  /** Drawn evenly from [0, 1). */
  #unit(): number {
    return this.#prng.below(2 ** 30) / 2 ** 30;
  }
}
