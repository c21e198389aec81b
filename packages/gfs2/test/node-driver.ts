import { MILLISECOND, type Nanos, Prng } from '@quorate/kernel';
import type { Caller } from '../src/calls/caller.js';
import type { Operation, OperationResult, OperationResults } from '../src/calls/operation.js';
import { Gfs2, type Gfs2Config } from '../src/gfs2.js';
import type { Gfs2Input, Gfs2Output } from '../src/gfs2-ports.js';
import type { MemoryDisk } from './memory-disk.js';

/** 2026-07-01 12:00 UTC: the wall clock at the start of every test. */
export const WALL = { sec: 1_782_907_200, nsec: 0 };

/** What a test adds to the defaults of a lone node. */
export type DriverConfig = Partial<Gfs2Config>;

/** One node with its own disk, no DLM and no time between a request to the disk and its completion. */
export class NodeDriver {
  readonly gfs2: Gfs2;
  readonly disk: MemoryDisk;
  readonly outputs: Gfs2Output[] = [];
  readonly log: string[] = [];
  now: Nanos = 0;
  readonly #queue: Gfs2Input[] = [];
  readonly #results = new Map<number, OperationResult>();
  #lastId = 0;
  /** Fails a transfer when it says why. */
  fault: (output: Gfs2Output) => string | undefined = () => undefined;

  constructor(disk: MemoryDisk, config: DriverConfig = {}) {
    this.disk = disk;
    this.gfs2 = new Gfs2({
      protocol: 'lock_nolock',
      era: 'modern',
      blockSize: disk.blockSize,
      prng: new Prng(1, 2, 3, 4),
      ...config,
    });
  }

  /** Mounts as the first and only node. */
  static mounted(disk: MemoryDisk, config: DriverConfig = {}, options = '', jid = 0): NodeDriver {
    const driver = new NodeDriver(disk, config);
    driver.input({ kind: 'mount', jid, isFirst: true, options, wall: WALL });
    if (!driver.has('mounted'))
      throw new Error(`not mounted: ${JSON.stringify(driver.outputs.at(-1))}\n${driver.log.join('\n')}`);
    return driver;
  }

  has(kind: Gfs2Output['kind']): boolean {
    return this.outputs.some((output) => output.kind === kind);
  }

  /** Steps with an input and with all that comes of it. */
  input(input: Gfs2Input): void {
    this.#queue.push(input);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.gfs2.step(this.now, next, (output) => this.#onOutput(output));
    }
  }

  /** Lets time pass. */
  pass(span: Nanos): void {
    const end = this.now + span;
    for (let due = this.gfs2.deadline(); due <= end; due = this.gfs2.deadline()) {
      this.now = Math.max(this.now, due);
      this.input({ kind: 'wake' });
    }
    this.now = end;
  }

  /** Carries out one operation to its end, for root or somebody else. */
  run<O extends Operation>(
    operation: O,
    caller?: Caller,
  ): OperationResults[O['kind']] | Extract<OperationResult, string> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.now += MILLISECOND;
    this.input({ kind: 'operation', id, operation, ...(caller && { caller }) });
    for (let i = 0; !this.#results.has(id) && i < 100; i++) this.pass(100 * MILLISECOND);
    if (!this.#results.has(id))
      throw new Error(`${operation.kind} never ends: ${JSON.stringify(this.gfs2.inspect()).slice(0, 500)}`);
    const result = this.#results.get(id);
    this.#results.delete(id);
    return result as OperationResults[O['kind']];
  }

  unmount(): void {
    this.input({ kind: 'unmount', isLast: true });
    for (let i = 0; !this.has('unmounted') && i < 100; i++) this.pass(100 * MILLISECOND);
    if (!this.has('unmounted')) throw new Error(`not unmounted: ${JSON.stringify(this.gfs2.inspect()).slice(0, 500)}`);
  }

  #onOutput(output: Gfs2Output): void {
    switch (output.kind) {
      case 'read':
      case 'write':
      case 'discard':
      case 'flush': {
        const error = this.fault(output);
        if (error !== undefined) this.#queue.push({ kind: 'io-done', id: output.id, error });
        else if (output.kind === 'read') {
          this.#queue.push({ kind: 'io-done', id: output.id, data: this.disk.read(output.block, output.count) });
        } else {
          if (output.kind === 'write') this.disk.write(output.block, output.data);
          else if (output.kind === 'discard') this.disk.discard(output.block, output.count);
          else this.disk.flush();
          this.#queue.push({ kind: 'io-done', id: output.id });
        }
        return;
      }
      case 'result':
        this.#results.set(output.id, output.result instanceof Uint8Array ? output.result.slice() : output.result);
        return;
      case 'log':
        this.log.push(output.text);
        return;
      default:
        this.outputs.push(output);
    }
  }
}
