import { Gfs2, type Gfs2Input, mkfs, type Operation, type OperationResults, type Volume } from '@quorate/gfs2';
import { Prng } from '@quorate/kernel';
import type { Figure } from '../figures.js';
import { seconds } from './alone.js';
import { BLOCK, ForgetfulDisk } from './forgetful-disk.js';

const WALL = { sec: 1_782_907_200, nsec: 0 };

/** One node with its file system, without a lock manager. */
class MemoryNode {
  readonly #disk: ForgetfulDisk;
  readonly #gfs2: Gfs2;
  #now = 0;
  #lastId = 0;
  /** Of the last call: none waits for another. */
  #result: unknown = undefined;

  constructor(mib: number, journalMiB = 32, maxBuffers = 20_000) {
    this.#disk = new ForgetfulDisk(mib);
    const prng = new Prng(1, 2, 3, 4);
    mkfs(
      { lockProtocol: 'lock_nolock', journalMiB, wall: WALL, prng },
      { sizeBytes: this.#disk.sizeBytes, write: (at, bytes) => this.#disk.write(at / BLOCK, bytes) },
    );
    this.#disk.keepJournals(1);
    this.#gfs2 = new Gfs2({ protocol: 'lock_nolock', era: 'modern', prng, maxBuffers });
    this.#step({ kind: 'mount', jid: 0, isFirst: true, options: '', wall: WALL });
    this.#disk.keptBytes = 0;
  }

  /** Bytes written to the journal. */
  get journalBytes(): number {
    return this.#disk.keptBytes;
  }

  volume(): Volume {
    return this.#disk.volume();
  }

  /** Carries out a call; throws what refuses it. */
  run<O extends Operation>(operation: O): OperationResults[O['kind']] {
    this.#lastId += 1;
    this.#step({ kind: 'operation', id: this.#lastId, operation });
    const result = this.#result;
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
          queue.push({ kind: 'io-done', id: output.id, data: this.#disk.read(output.block, output.count) });
        } else if (output.kind === 'write') {
          this.#disk.write(output.block, output.data);
          queue.push({ kind: 'io-done', id: output.id });
        } else if (output.kind === 'flush') queue.push({ kind: 'io-done', id: output.id });
        else if (output.kind === 'result') this.#result = output.result;
      });
      if (queue.length === 0 && this.#gfs2.deadline() <= this.#now) queue.push({ kind: 'wake' });
    }
  }
}

/** What a node does with transactions, a journal and calls around the allocator. */
export function nodeFigures(): Figure[] {
  return [
    ...sequentialFigures(2048, 1024),
    ...fastest(Array.from({ length: 5 }, () => appendFigures(20_000))),
    ...fullFigures(2000),
    ...directoryFigures(250_000),
  ];
}

/** Of several runs the one with the highest first figure. */
function fastest(runs: readonly Figure[][]): Figure[] {
  return runs.reduce((best, run) => (run[0]!.value > best[0]!.value ? run : best));
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
  const node = new MemoryNode(512 + Math.ceil(names / 200));
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
