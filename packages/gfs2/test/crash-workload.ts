import { MILLISECOND, Prng, SECOND, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { Operation, OperationResult } from '../src/calls/operation.js';
import { DIF, isRegular } from '../src/ondisk/dinode.js';
import { Volume } from '../src/volume.js';
import { Cluster } from './cluster.js';
import type { MemoryDisk } from './memory-disk.js';
import { randomOperation } from './model.js';
import type { SparseImage } from './sparse-image.js';

/** What a program does: it yields a call and gets its result. */
type Program = Generator<Operation, void, OperationResult>;

/** Of one file: every text that it has had, and up to which of them the program knows that it is on the disk. */
interface Promised {
  readonly texts: string[];
  kept: number;
}

/** Who loses power. `others` go on working, or are idle with everything on the disk. */
export type Loss = 'all' | 'some, the others work' | 'some, the others are idle';

/**
 * Programs on one to five nodes that work on the same names until some or all nodes lose power at once, everything from a seed.
 *
 * Two programs a node. Each does what `randomOperation` says in turn with a diary, to which it appends, and a document, which it
 * replaces as editors do: so it is known what must be there afterwards.
 */
export class CrashWorkload {
  readonly cluster: Cluster;
  readonly nodes: readonly number[];
  readonly loss: Loss;
  readonly victims: readonly number[];
  /** What the first victim does one after the other before the power goes: changes of the size of the file system. */
  readonly #resizing: readonly Operation[];
  readonly #prng: Prng;
  readonly #promises = new Map<string, Promised>();
  /** Nodes whose programs end after what they are at. */
  readonly #ending = new Set<number>();
  readonly #running = new Map<number, number>();
  operations = 0;

  constructor(disk: MemoryDisk, seed: number, resizing: readonly Operation[] = []) {
    this.#resizing = resizing;
    this.#prng = Prng.derive({ hi: 0, lo: seed }, 'crash');
    const era = this.#prng.below(2) === 0 ? 'rhel6' : 'modern';
    this.cluster = new Cluster(disk, { seed, era, mountOptions: seed % 4 === 0 ? 'discard' : '' });
    this.nodes = [1, 2, 3, 4, 5].slice(0, 1 + this.#prng.below(5));
    const losses: readonly Loss[] = ['all', 'some, the others work', 'some, the others are idle'];
    this.loss = this.nodes.length === 1 ? 'all' : losses[this.#prng.below(3)]!;
    const first = this.#prng.below(this.nodes.length);
    const count = this.loss === 'all' ? this.nodes.length : 1 + this.#prng.below(this.nodes.length - 1);
    this.victims = [...this.nodes, ...this.nodes].slice(first, first + count);
  }

  /** Works, and cuts the power at some instant. Gives what is on the disk then. */
  run(): SparseImage {
    const { cluster } = this;
    for (const id of this.nodes) cluster.boot(id);
    cluster.passUntil(() => this.nodes.every((id) => cluster.isMounted(id)), 'the mounts');
    for (const id of this.nodes) for (const name of ['x', 'y']) this.#start(id, name);
    cluster.pass(this.#prng.below(600) * MILLISECOND);
    if (this.loss === 'some, the others are idle') this.#bringToRest();
    this.#resize(this.#resizing);
    cluster.pass(this.#prng.below(40_000) * 1000);
    for (const id of this.victims) cluster.kill(id);
    return cluster.disk.image.fork();
  }

  /**
   * Waits until the survivors have replayed everything, or mounts on one node when there are none, and unmounts. Sometimes who
   * replays loses power too.
   */
  recover(): void {
    const { cluster } = this;
    for (const id of this.nodes) this.#ending.add(id);
    const isCutAgain = this.#prng.below(2) === 0;
    cluster.pass(20 * SECOND);
    if (this.loss === 'all') cluster.boot(1);
    if (isCutAgain && (this.loss === 'all' || cluster.up.length > 1)) {
      cluster.pass(this.#prng.below(60_000) * 1000);
      cluster.kill(cluster.up[0]!);
      cluster.pass(20 * SECOND);
      if (this.loss === 'all') cluster.boot(1);
    }
    cluster.pass(90 * SECOND);
    for (const id of cluster.up) cluster.unmount(id);
  }

  /** Does on one node what may not have come to its end. */
  resizeAgain(): void {
    const { cluster } = this;
    cluster.boot(1);
    cluster.passUntil(() => cluster.isMounted(1), 'the mount after the recovery');
    for (const operation of this.#resizing) {
      const result = cluster.run(1, operation);
      if (typeof result === 'string') throw new Error(`${operation.kind}: ${result}`);
    }
    cluster.unmount(1);
  }

  /** What is not as it was promised to the programs before `recover`, in an image without dirty journals. */
  broken(image: SparseImage): string[] {
    const volume = Volume.open(image)!;
    const broken: string[] = [];
    for (const [path, { texts, kept }] of this.#promises) {
      const dinode = volume.lookup(path);
      const bytes = typeof dinode === 'string' || !isRegular(dinode) ? undefined : volume.read(dinode);
      const found = bytes instanceof Uint8Array ? utf8Text(bytes) : undefined;
      if (found === undefined ? kept < 0 : texts.includes(found, Math.max(0, kept))) continue;
      broken.push(
        `${path}: text ${kept} of ${texts.length} was kept, found ${found?.length} bytes ${found?.slice(-40)}`,
      );
    }
    return broken;
  }

  /** The programs of the survivors end, and what they have done is on the disk. */
  #bringToRest(): void {
    const survivors = this.nodes.filter((id) => !this.victims.includes(id));
    for (const id of survivors) this.#ending.add(id);
    this.cluster.passUntil(() => survivors.every((id) => this.#running.get(id) === 0), 'the programs of the survivors');
    for (const id of survivors) this.cluster.run(id, { kind: 'sync' });
  }

  #resize([first, ...others]: readonly Operation[]): void {
    if (first === undefined) return;
    this.cluster.start(this.victims[0]!, first, (result) => {
      if (typeof result === 'string') throw new Error(`${first.kind}: ${result}`);
      this.#resize(others);
    });
  }

  #start(id: number, name: string): void {
    this.#running.set(id, (this.#running.get(id) ?? 0) + 1);
    const program = this.#program(id, name);
    const resume = (result: OperationResult): void => {
      const { done, value } = program.next(result);
      if (done) this.#running.set(id, this.#running.get(id)! - 1);
      else {
        this.operations += 1;
        this.cluster.start(id, value, resume);
      }
    };
    resume(undefined);
  }

  *#program(id: number, name: string): Program {
    const prng = Prng.derive({ hi: id, lo: this.#prng.next() }, `program/${name}`);
    const diary = this.#promise(`/diary of ${id}${name}`, '');
    const document = this.#promise(`/document of ${id}${name}`);
    while (!this.#ending.has(id)) {
      const what = prng.below(8);
      if (what === 0) yield* this.#appendToDiary(`/diary of ${id}${name}`, diary, prng);
      else if (what === 1) yield* this.#replaceDocument(`/document of ${id}${name}`, document, prng);
      else yield* somethingElse(prng);
    }
  }

  #promise(path: string, ...texts: string[]): Promised {
    const promise = { texts, kept: -1 };
    this.#promises.set(path, promise);
    return promise;
  }

  *#appendToDiary(path: string, promise: Promised, prng: Prng): Program {
    const line = `line ${promise.texts.length}`.padEnd(1 + prng.below(prng.below(4) === 0 ? 9000 : 200), '.');
    const fd = yield { kind: 'open', path, flags: { create: true, append: true } };
    if (typeof fd !== 'number') return;
    promise.texts.push(`${promise.texts.at(-1)}${line}`);
    const appended = yield { kind: 'append', fd, bytes: utf8Bytes(line) };
    if (appended !== line.length) throw new Error(`${path}: ${String(appended)}`);
    if ((yield { kind: 'fsync', fd }) === undefined) promise.kept = promise.texts.length - 1;
    yield { kind: 'close', fd };
  }

  /** Writes it anew beside the old one, brings it to the disk, and gives it the name of the old one. */
  *#replaceDocument(path: string, promise: Promised, prng: Prng): Program {
    const text = `document ${promise.texts.length}`.padEnd(1 + prng.below(30_000), '-');
    const fd = yield { kind: 'open', path: `${path}.new`, flags: { create: true, write: true, truncate: true } };
    if (typeof fd !== 'number') return;
    yield { kind: 'pwrite', fd, offset: 0, bytes: utf8Bytes(text) };
    const synced = yield { kind: 'fsync', fd };
    yield { kind: 'close', fd };
    if (synced !== undefined) return;
    promise.texts.push(text);
    yield { kind: 'rename', from: `${path}.new`, to: path };
    if (prng.below(2) === 0 && (yield { kind: 'sync' }) === undefined) promise.kept = promise.texts.length - 1;
  }
}

/** A random operation, which may be several calls. */
function* somethingElse(prng: Prng): Program {
  const operation = randomOperation(prng);
  switch (operation.kind) {
    case 'write':
    case 'truncate':
    case 'allocate': {
      const flags = { write: true, create: operation.kind === 'write' };
      const fd = yield { kind: 'open', path: operation.path, flags };
      if (typeof fd !== 'number') return;
      if (operation.kind === 'truncate') yield { kind: 'ftruncate', fd, size: operation.size };
      else if (operation.kind === 'allocate') yield { ...operation, kind: 'fallocate', fd };
      else yield { kind: 'pwrite', fd, offset: operation.offset, bytes: operation.bytes };
      if (prng.below(3) === 0) yield { kind: 'fsync', fd };
      yield { kind: 'close', fd };
      return;
    }
    case 'journal':
      yield { kind: 'setflags', path: operation.path, flags: operation.isOn ? DIF.JDATA : 0, mask: DIF.JDATA };
      return;
    default:
      yield operation;
  }
}
