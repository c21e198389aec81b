import { Gfs2, type Gfs2Input, mkfs, type Operation, type OperationResults, Volume } from '@quorate/gfs2';
import { Prng } from '@quorate/kernel';
import type { Figure } from '../figures.js';
import { seconds } from './alone.js';

const BLOCK = 4096;
const WALL = { sec: 1_782_907_200, nsec: 0 };

/**
 * One node with its file system on a disk in memory, without a lock manager. The disk keeps metadata and forgets the content of
 * files, which would else be most of the work.
 */
class MemoryNode {
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #gfs2: Gfs2;
  readonly sizeBytes: number;
  /** Blocks of the journal, and the bytes written to them. */
  #journal: { first: number; end: number } = { first: 0, end: 0 };
  journalBytes = 0;
  #now = 0;
  #lastId = 0;
  readonly #results = new Map<number, unknown>();

  constructor(mib: number, journalMiB = 32, maxBuffers = 20_000) {
    this.sizeBytes = mib * 2 ** 20;
    const prng = new Prng(1, 2, 3, 4);
    mkfs(
      { lockProtocol: 'lock_nolock', journalMiB, wall: WALL, prng },
      { sizeBytes: this.sizeBytes, write: (at, bytes) => this.#write(at / BLOCK, bytes) },
    );
    const volume = this.volume();
    const journal = volume.systemFile('jindex/journal0');
    if (typeof journal === 'string') throw new Error(journal);
    const extents = [...volume.extents(journal)];
    this.#journal = { first: extents[0]!.block, end: extents.at(-1)!.block + extents.at(-1)!.count };
    this.#gfs2 = new Gfs2({ protocol: 'lock_nolock', era: 'modern', prng, maxBuffers });
    this.#step({ kind: 'mount', jid: 0, isFirst: true, options: '', wall: WALL });
    this.journalBytes = 0;
  }

  /** What is on the disk by now. */
  volume(): Volume {
    const read = (at: number, into: Uint8Array): void => {
      for (let done = 0; done < into.length; ) {
        const block = Math.floor((at + done) / BLOCK);
        const within = (at + done) % BLOCK;
        const part = into.subarray(done, done + Math.min(BLOCK - within, into.length - done));
        part.set(this.#blocks.get(block)?.subarray(within, within + part.length) ?? new Uint8Array(part.length));
        done += part.length;
      }
    };
    return Volume.open({ sizeBytes: this.sizeBytes, read })!;
  }

  /** Carries out a call; throws what refuses it. */
  run<O extends Operation>(operation: O): OperationResults[O['kind']] {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#step({ kind: 'operation', id, operation });
    const result = this.#results.get(id);
    this.#results.delete(id);
    if (typeof result === 'string') throw new Error(`${operation.kind}: ${result}`);
    return result as OperationResults[O['kind']];
  }

  /** Brings everything in place. */
  unmount(): void {
    this.#step({ kind: 'unmount', isLast: true });
  }

  #step(first: Gfs2Input): void {
    const queue = [first];
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      this.#now += 1000;
      this.#gfs2.step(this.#now, input, (output) => {
        if (output.kind === 'read') {
          const data = new Uint8Array(output.count * BLOCK);
          for (let i = 0; i < output.count; i++) data.set(this.#blocks.get(output.block + i) ?? [], i * BLOCK);
          queue.push({ kind: 'io-done', id: output.id, data });
        } else if (output.kind === 'write') {
          this.#write(output.block, output.data);
          queue.push({ kind: 'io-done', id: output.id });
        } else if (output.kind === 'flush') queue.push({ kind: 'io-done', id: output.id });
        else if (output.kind === 'result') this.#results.set(output.id, output.result);
      });
      if (queue.length === 0 && this.#gfs2.deadline() <= this.#now) queue.push({ kind: 'wake' });
    }
  }

  #write(block: number, bytes: Uint8Array): void {
    const isJournal = block >= this.#journal.first && block < this.#journal.end;
    if (isJournal) this.journalBytes += bytes.length;
    for (let at = 0; at < bytes.length; at += BLOCK) {
      if (isJournal || hasMagic(bytes, at)) {
        const held = this.#blocks.get(block + at / BLOCK);
        if (held === undefined) this.#blocks.set(block + at / BLOCK, bytes.slice(at, at + BLOCK));
        else held.set(bytes.subarray(at, at + BLOCK));
      } else this.#blocks.delete(block + at / BLOCK);
    }
  }
}

function hasMagic(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x01 && bytes[at + 1] === 0x16 && bytes[at + 2] === 0x19 && bytes[at + 3] === 0x70;
}

/** What a node does with transactions, a journal and calls around the allocator. */
export function nodeFigures(): Figure[] {
  return [
    ...sequentialFigures(2048, 1024),
    ...appendFigures(20_000),
    ...fullFigures(2000),
    ...directoryFigures(25_000),
  ];
}

/** A file that is given its blocks in one call. */
export function sequentialFigures(volumeMiB: number, fileMiB: number): Figure[] {
  const node = new MemoryNode(volumeMiB);
  const fd = node.run({ kind: 'open', path: '/f', flags: { write: true, create: true } });
  const start = process.hrtime.bigint();
  node.run({ kind: 'fallocate', fd, offset: 0, length: fileMiB * 2 ** 20 });
  const blocks = fileMiB * 256;
  const rate = blocks / seconds(start);
  node.run({ kind: 'sync' });
  const { journalBytes } = node;
  node.run({ kind: 'close', fd });
  node.unmount();
  const volume = node.volume();
  const file = volume.lookup('/f');
  if (typeof file === 'string') throw new Error(file);
  const extents = [...volume.extents(file)].length;
  const most = Math.ceil((518 * fileMiB) / 1024);
  return [
    { name: `fallocate of ${fileMiB} MiB, zeros written`, value: rate / 1e6, unit: 'M blocks/s', bar: { atLeast: 1 } },
    { name: 'its extents', value: extents, unit: '', bar: { atMost: most } },
    { name: 'its journal bytes', value: journalBytes / blocks, unit: 'bytes/block' },
  ];
}

/** A file that grows by a block a call. */
export function appendFigures(calls: number): Figure[] {
  const node = new MemoryNode(512, 32, 4096);
  const fd = node.run({ kind: 'open', path: '/f', flags: { write: true, create: true } });
  const bytes = new Uint8Array(BLOCK).fill(7);
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) node.run({ kind: 'append', fd, bytes });
  const rate = calls / seconds(start);
  node.run({ kind: 'sync' });
  return [
    { name: 'append of one block, journaled', value: rate / 1e3, unit: 'k calls/s', bar: { atLeast: 100 } },
    { name: 'its journal bytes', value: node.journalBytes / calls, unit: 'bytes/block' },
  ];
}

/** Files made and removed on a volume that is empty, and on one that is 85 % full. */
export function fullFigures(turns: number, mib = 128): Figure[] {
  const [empty, full] = [0, 0.85].map((fill) => {
    const node = new MemoryNode(mib, 8);
    const prng = Prng.derive({ hi: 0, lo: 9 }, 'full');
    fillNode(node, fill, prng);
    const start = process.hrtime.bigint();
    for (let i = 0; i < turns; i++) {
      writeFile(node, `/t${i}`, 1 + prng.below(8));
      if (i >= 20) node.run({ kind: 'unlink', path: `/t${i - 20}` });
    }
    return turns / seconds(start);
  }) as [number, number];
  return [
    { name: 'create, write, close, unlink, empty', value: empty / 1e3, unit: 'k files/s' },
    { name: '85 % full beside that', value: full / empty, unit: 'of it', bar: { atLeast: 1 / 3 } },
  ];
}

function fillNode(node: MemoryNode, fill: number, prng: Prng): void {
  if (fill === 0) return;
  const { blocks } = node.run({ kind: 'statfs' });
  for (let i = 0; node.run({ kind: 'statfs' }).free > (1 - fill) * blocks * 0.9; i++) {
    writeFile(node, `/fill${i}`, 1 + prng.below(40));
  }
  for (let i = 0; node.run({ kind: 'statfs' }).free < (1 - fill) * blocks; i++) {
    node.run({ kind: 'unlink', path: `/fill${i * 3}` });
  }
}

function writeFile(node: MemoryNode, path: string, blocks: number): void {
  const fd = node.run({ kind: 'open', path, flags: { write: true, create: true } });
  node.run({ kind: 'pwrite', fd, offset: 0, bytes: new Uint8Array(blocks * BLOCK) });
  node.run({ kind: 'close', fd });
}

/** A directory of many names. */
export function directoryFigures(names: number): Figure[] {
  const node = new MemoryNode(512);
  node.run({ kind: 'mkdir', path: '/d' });
  const start = process.hrtime.bigint();
  for (let i = 0; i < names; i++) {
    node.run({
      kind: 'close',
      fd: node.run({ kind: 'open', path: `/d/name${i}`, flags: { write: true, create: true } }),
    });
  }
  const made = seconds(start);
  const listing = process.hrtime.bigint();
  const found = node.run({ kind: 'readdir', path: '/d' }).length;
  if (found !== names) throw new Error(`${found} names of ${names}`);
  return [
    { name: `directory of ${names} names, made`, value: names / made / 1e3, unit: 'k names/s' },
    { name: 'listed', value: seconds(listing) * 1e3, unit: 'ms' },
  ];
}
