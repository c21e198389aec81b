import { type Dinode, isRegular } from '../ondisk/dinode.js';
import { LOG_HEAD, type LogHeader, LogHeaderCodec } from '../ondisk/log-header.js';
import type { Fix } from './fix.js';
import type { CheckImage } from './image.js';

const MIN_JOURNAL_BYTES = 8 << 20;
const MAX_JOURNAL_BYTES = 1 << 30;

/** Blocks read from a journal at once. */
const BATCH = 64;

/** The journals: size, no holes, log headers with rising sequence numbers, and a head that says there is nothing to replay. */
export class JournalChecker {
  readonly #image: CheckImage;
  readonly #codec: LogHeaderCodec;
  readonly #mayBeDirty: boolean;
  readonly #buffer: Uint8Array;

  constructor(image: CheckImage, mayBeDirty: boolean) {
    this.#image = image;
    this.#codec = new LogHeaderCodec(image.geometry.blockSize);
    this.#mayBeDirty = mayBeDirty;
    this.#buffer = new Uint8Array(BATCH * image.geometry.blockSize);
  }

  check(name: string, dinode: Dinode): void {
    const { addr, size } = dinode;
    if (!isRegular(dinode) || size < MIN_JOURNAL_BYTES || size > MAX_JOURNAL_BYTES) {
      const found = this.#countBlocks(dinode) * this.#image.geometry.blockSize;
      const isRight = found >= MIN_JOURNAL_BYTES && found <= MAX_JOURNAL_BYTES;
      const fix: Fix = (fixer) => {
        if (isRight) fixer.patchDinode(addr, (di) => Object.assign(di, { size: found }));
      };
      return this.#say('journal-size', addr, `${name} has ${size} bytes, 8 MiB to 1 GiB are right`, fix);
    }
    const blocks = this.#blocksOf(dinode);
    if (blocks === undefined) return this.#say('journal-hole', addr, `${name} has a hole`);
    this.#checkHeaders(name, addr, blocks);
  }

  /** Where the blocks of the journal are; undefined when one is missing. */
  #blocksOf(dinode: Dinode): number[] | undefined {
    const count = dinode.size / this.#image.geometry.blockSize;
    const blocks: number[] = [];
    this.#image.walkTree(dinode, {
      data: (block, lblock) => {
        if (lblock === blocks.length && lblock < count && block < this.#image.blocks) blocks.push(block);
      },
    });
    return blocks.length === count ? blocks : undefined;
  }

  #countBlocks(dinode: Dinode): number {
    let count = 0;
    this.#image.walkTree(dinode, {
      data: () => {
        count += 1;
      },
    });
    return count;
  }

  #checkHeaders(name: string, addr: number, blocks: readonly number[]): void {
    const reset: Fix = (fixer) => fixer.cleanJournal(addr, blocks, 'reset');
    const search = new HeadSearch();
    for (let start = 0; start < blocks.length; ) start += this.#readRun(blocks, start, search);
    const { head } = search;
    if (head === undefined) return this.#say('journal-head', addr, `${name} has no valid log header`, reset);
    if (search.drops > 1) {
      const text = `fall ${search.drops} times round the journal, once is right`;
      this.#say('journal-sequence', addr, `the sequence numbers of the log headers of ${name} ${text}`, reset);
    }
    if (!this.#mayBeDirty && (head.flags & LOG_HEAD.UNMOUNT) === 0) {
      const text = `${name} is dirty: its head at block ${head.blkno} is not an unmount`;
      this.#say('journal-dirty', addr, text, (fixer) => fixer.cleanJournal(addr, blocks, 'replay'));
    }
  }

  /** Reads blocks that follow each other on the device. Gives their number. */
  #readRun(blocks: readonly number[], start: number, search: HeadSearch): number {
    const { blockSize } = this.#image.geometry;
    let count = 1;
    while (count < BATCH && blocks[start + count] === blocks[start]! + count) count += 1;
    this.#image.readRun(blocks[start]!, this.#buffer.subarray(0, count * blockSize));
    for (let i = 0; i < count; i++) {
      const header = this.#codec.decode(this.#buffer.subarray(i * blockSize, (i + 1) * blockSize));
      if (header !== undefined && header.blkno === start + i) search.add(header);
    }
    return count;
  }

  #say(
    rule: 'journal-size' | 'journal-hole' | 'journal-head' | 'journal-sequence' | 'journal-dirty',
    block: number,
    message: string,
    fix?: Fix,
  ): void {
    this.#image.report('initialize', rule, block, message, fix);
  }
}

/** Follows the log headers of a journal from its block 0 on (`gfs2_find_jhead`). */
class HeadSearch {
  /** The newest header of the first rising run. */
  head: LogHeader | undefined = undefined;
  /** Times that a sequence number is lower than the one before it, going round the ring. */
  #drops = 0;
  #first = 0;
  #last = 0;
  #isRising = true;

  add(header: LogHeader): void {
    if (this.head === undefined) this.#first = header.sequence;
    else if (header.sequence < this.#last) {
      this.#drops += 1;
      this.#isRising = false;
    }
    if (this.#isRising) this.head = header;
    this.#last = header.sequence;
  }

  get drops(): number {
    return this.#drops + (this.#first < this.#last ? 1 : 0);
  }
}
