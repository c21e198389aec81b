import { getU64, viewOf } from '@quorate/kernel';
import type { ReadableDevice } from '../device.js';
import { type Dinode, decodeDinode } from '../ondisk/dinode.js';
import { type Geometry, MAX_HEIGHT } from '../ondisk/geometry.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { blocksAtHeight, pointerArea } from '../ondisk/metadata-tree.js';
import type { CheckPass, CheckRule, Finding } from './finding.js';
import type { Fix } from './fix.js';

/** What a walk over a metadata tree meets. */
export interface TreeVisitor {
  /** An indirect block; false when it is not to be entered. Without this all are. */
  indirect?(block: number): boolean;
  data(block: number, lblock: number): void;
}

/** The image under check: its blocks, one by one, and what was found so far. */
export class CheckImage {
  readonly geometry: Geometry;
  /** Whole blocks of the device. */
  readonly blocks: number;
  readonly findings: Finding[] = [];
  /** How to mend what was found, as far as that is known. */
  readonly fixes: (readonly [Finding, Fix])[] = [];
  readonly #device: ReadableDevice;
  readonly #limit: number;
  /** One buffer for each level of a tree: a walk needs those above. */
  readonly #levels: readonly Uint8Array[];

  constructor(device: ReadableDevice, geometry: Geometry, limit: number) {
    this.geometry = geometry;
    this.blocks = Math.floor(device.sizeBytes / geometry.blockSize);
    this.#device = device;
    this.#limit = limit;
    this.#levels = Array.from({ length: MAX_HEIGHT + 1 }, () => new Uint8Array(geometry.blockSize));
  }

  report(pass: CheckPass, rule: CheckRule, block: number, text: string, fix?: Fix): void {
    if (this.findings.length >= this.#limit) return;
    const finding = { pass, rule, block, text };
    this.findings.push(finding);
    if (fix !== undefined) this.fixes.push([finding, fix]);
  }

  /** Fills `into`, of one block, and gives it back; undefined when the device has no such block. */
  read(block: number, into: Uint8Array): Uint8Array | undefined {
    if (block < 0 || block >= this.blocks) return undefined;
    this.#device.read(block * this.geometry.blockSize, into);
    return into;
  }

  /** Fills `into` with the blocks from `block` on, all of which the device must have. */
  readRun(block: number, into: Uint8Array): void {
    this.#device.read(block * this.geometry.blockSize, into);
  }

  /** The dinode at that block, which `into` then holds; undefined when there is none. */
  readDinode(block: number, into: Uint8Array): Dinode | undefined {
    const bytes = this.read(block, into);
    return bytes === undefined ? undefined : decodeDinode(bytes);
  }

  /**
   * Visits all pointers of a tree, a block before what is below it. What is no indirect block is not entered, and none is
   * entered twice: a damaged tree may lead back into itself.
   */
  walkTree(dinode: Dinode, visitor: TreeVisitor): void {
    if (dinode.height === 0 || dinode.height > MAX_HEIGHT) return;
    const span = blocksAtHeight(this.geometry, dinode.height) / this.geometry.diptrs;
    if (this.read(dinode.addr, this.#levels[0]!) === undefined) return;
    this.#walk({ height: dinode.height, visitor, entered: new Set() }, 0, 0, span);
  }

  /**
   * Content of a small file: `length` bytes from its start, holes as zeros. Undefined when its tree is damaged, or too small
   * to hold so much.
   */
  content(dinode: Dinode, length: number): Uint8Array | undefined {
    const { blockSize, maxStuffed } = this.geometry;
    const isStuffed = dinode.height === 0;
    if (length > (isStuffed ? maxStuffed : this.#dataBlocks(dinode) * blockSize)) return undefined;
    const bytes = new Uint8Array(length);
    const block = new Uint8Array(blockSize);
    if (isStuffed) {
      if (this.read(dinode.addr, block) === undefined) return undefined;
      bytes.set(block.subarray(blockSize - maxStuffed, blockSize - maxStuffed + length));
      return bytes;
    }
    let isWhole = true;
    this.walkTree(dinode, {
      data: (addr, lblock) => {
        const at = lblock * blockSize;
        if (at >= length) return;
        if (this.read(addr, block) === undefined) isWhole = false;
        else bytes.set(block.subarray(0, Math.min(blockSize, length - at)), at);
      },
    });
    return isWhole ? bytes : undefined;
  }

  #dataBlocks(dinode: Dinode): number {
    let count = 0;
    this.walkTree(dinode, {
      data: () => {
        count += 1;
      },
    });
    return count;
  }

  #walk(walk: Walk, level: number, base: number, span: number): void {
    const view = viewOf(this.#levels[level]!);
    const { offset, count } = pointerArea(this.geometry, level);
    for (let i = 0; i < count; i++) {
      const target = getU64(view, offset + 8 * i);
      if (target === 0) continue;
      if (level === walk.height - 1) walk.visitor.data(target, base + i);
      else if (this.#enter(walk, target, level + 1)) {
        this.#walk(walk, level + 1, base + i * span, span / this.geometry.inptrs);
      }
    }
  }

  /** Reads an indirect block into the buffer of its level; false when it is not to be walked. */
  #enter({ visitor, entered }: Walk, target: number, level: number): boolean {
    if (visitor.indirect?.(target) === false || entered.has(target)) return false;
    entered.add(target);
    const block = this.read(target, this.#levels[level]!);
    return block !== undefined && isMetaBlock(block, META_TYPE.IN);
  }
}

/** A walk over one tree. */
interface Walk {
  readonly height: number;
  readonly visitor: TreeVisitor;
  readonly entered: Set<number>;
}
