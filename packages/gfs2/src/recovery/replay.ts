import { type Task, viewOf } from '@quorate/kernel';
import type { BlockWrittenFact } from '../buffer/buffer-cache.js';
import { Batch, type Disk } from '../disk.js';
import type { JournalMap } from '../log/journal-map.js';
import type { Geometry } from '../ondisk/geometry.js';
import { decodeLogDescriptor, getLogTag, getRevoke, LOG_DESC } from '../ondisk/log-descriptor.js';
import type { LogHeader } from '../ondisk/log-header.js';
import { GFS2_MAGIC, META_TYPE, metaTypeOf } from '../ondisk/meta-header.js';
import type { Scheduler } from '../scheduler.js';

/** What a replay did. */
export interface ReplayCounts {
  /** Copies put in place. */
  readonly replayed: number;
  /** Copies found. */
  readonly found: number;
  /** Blocks revoked. */
  readonly revokes: number;
}

/** The journal contradicts itself: nothing of it can be trusted. */
export class JournalFault {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A descriptor with the blocks it describes, or a header, at a place of the journal. */
interface LogChunk {
  readonly blkno: number;
  /** `LOG_DESC`; 0 for a log header. */
  readonly type: number;
  readonly length: number;
  readonly tags: number;
  readonly block: Uint8Array;
}

/**
 * Replays the range [tail, head) of a journal (`gfs2_recover_func`): blocks that are not revoked later go in place.
 *
 * Source: Linux fs/gfs2/recovery.c, lops.c.
 */
export class Replay {
  readonly #geometry: Geometry;
  readonly #disk: Disk;
  readonly #scheduler: Scheduler;
  readonly #map: JournalMap;
  readonly #head: LogHeader;
  readonly #observe: ((fact: BlockWrittenFact) => void) | undefined;
  /** Blocks and the last journal block where they are revoked. */
  readonly #revokes = new Map<number, number>();
  readonly #content = new Map<number, Uint8Array>();
  #found = 0;
  #replayed = 0;

  constructor(
    geometry: Geometry,
    disk: Disk,
    scheduler: Scheduler,
    map: JournalMap,
    head: LogHeader,
    observe: ((fact: BlockWrittenFact) => void) | undefined,
  ) {
    this.#geometry = geometry;
    this.#disk = disk;
    this.#scheduler = scheduler;
    this.#map = map;
    this.#head = head;
    this.#observe = observe;
  }

  /** @throws {Refusal} EIO @throws {JournalFault} */
  *run(): Task<ReplayCounts> {
    yield* this.#walk((chunk) => this.#scanRevokes(chunk));
    yield* this.#walk((chunk) => this.#scanBlocks(chunk));
    yield* this.#writeInPlace();
    return { replayed: this.#replayed, found: this.#found, revokes: this.#revokes.size };
  }

  /** Visits the chunks of the range in order (`foreach_descriptor`). */
  *#walk(visit: (chunk: LogChunk) => Task): Task {
    const { blocks } = this.#map;
    for (let blkno = this.#head.tail; blkno !== this.#head.blkno; ) {
      const chunk = yield* this.#readChunk(blkno);
      // What the range jumps over cannot be its end.
      const ahead = (this.#head.blkno - blkno + blocks) % blocks;
      if (chunk.length < 1 || chunk.length > ahead)
        throw new JournalFault(`descriptor at ${blkno} is ${chunk.length} long`);
      yield* visit(chunk);
      blkno = (blkno + chunk.length) % blocks;
    }
  }

  *#readChunk(blkno: number): Task<LogChunk> {
    const block = yield* this.#disk.readBlocks(this.#map.addressOf(blkno), 1);
    const type = metaTypeOf(block);
    if (type === META_TYPE.LH) return { blkno, type: 0, length: 1, tags: 0, block };
    const descriptor = decodeLogDescriptor(block);
    if (descriptor === undefined) throw new JournalFault(`block ${blkno} is neither a header nor a descriptor`);
    return { blkno, block, ...descriptor };
  }

  *#scanRevokes(chunk: LogChunk): Task {
    if (chunk.type !== LOG_DESC.REVOKE) return;
    const { ldptrs, inptrs } = this.#geometry;
    for (let tag = 0, i = 0; tag < chunk.tags && i < chunk.length; i++) {
      const at = (chunk.blkno + i) % this.#map.blocks;
      const block = i === 0 ? chunk.block : yield* this.#disk.readBlocks(this.#map.addressOf(at), 1);
      const here = Math.min(chunk.tags - tag, i === 0 ? ldptrs : inptrs);
      for (let k = 0; k < here; k++) this.#revokes.set(i === 0 ? getLogTag(block, k) : getRevoke(block, k), at);
      tag += here;
    }
  }

  *#scanBlocks(chunk: LogChunk): Task {
    const isData = chunk.type === LOG_DESC.JDATA;
    if (!isData && chunk.type !== LOG_DESC.METADATA) return;
    const { blockSize } = this.#disk;
    for (let i = 0; i < chunk.tags; ) {
      const at = (chunk.blkno + 1 + i) % this.#map.blocks;
      const run = this.#map.runAt(at, chunk.tags - i);
      const bytes = yield* this.#disk.readBlocks(this.#map.addressOf(at), run);
      for (let k = 0; k < run; k++) {
        this.#takeCopy(chunk, i + k, isData, bytes.subarray(k * blockSize, (k + 1) * blockSize));
      }
      i += run;
    }
  }

  #takeCopy(chunk: LogChunk, index: number, isData: boolean, copy: Uint8Array): void {
    const block = getLogTag(chunk.block, isData ? 2 * index : index);
    const isEscaped = isData && getLogTag(chunk.block, 2 * index + 1) !== 0;
    this.#found += 1;
    if (this.#isRevoked(block, (chunk.blkno + 1 + index) % this.#map.blocks)) return;
    if (isEscaped) viewOf(copy).setUint32(0, GFS2_MAGIC);
    if (!isData && metaTypeOf(copy) === 0) throw new JournalFault(`the copy of block ${block} is no metadata`);
    this.#replayed += 1;
    this.#content.set(block, copy);
  }

  /** Whether the block was revoked after the copy at journal block `where` was logged (`gfs2_revoke_check`). */
  #isRevoked(block: number, where: number): boolean {
    const revokedAt = this.#revokes.get(block);
    if (revokedAt === undefined) return false;
    const { tail } = this.#head;
    const isAfterTail = tail < where;
    const isBeforeRevoke = where < revokedAt;
    return tail > revokedAt ? isAfterTail || isBeforeRevoke : isAfterTail && isBeforeRevoke;
  }

  *#writeInPlace(): Task {
    const batch = new Batch(this.#scheduler);
    const blocks = [...this.#content].sort(([a], [b]) => a - b);
    for (const [block, bytes] of blocks) {
      const write = this.#disk.nextId;
      this.#observe?.({
        kind: 'gfs2.block-written',
        now: this.#scheduler.now,
        block,
        write,
        journal: this.#map.jid,
      });
      this.#disk.write(block, bytes, batch.expect());
    }
    yield* batch.settle();
    yield* this.#disk.flush();
  }
}
