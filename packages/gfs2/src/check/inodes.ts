import { BLKST, type BlockState } from '../bitmap.js';
import { DIF, type Dinode, isDirectory, isSymlink, MODE, PAYLOAD } from '../ondisk/dinode.js';
import { MAX_DIR_DEPTH, MAX_HEIGHT } from '../ondisk/geometry.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import type { CheckedInode, CheckedInodes } from './checked-inode.js';
import type { Fix } from './fix.js';
import type { CheckImage } from './image.js';
import { hasHashTable, walkLeaves } from './leaves.js';
import type { CheckedRgrps } from './rgrps.js';
import { checkXattrs } from './xattrs.js';

const KNOWN_TYPES: ReadonlySet<number> = new Set([
  MODE.SOCKET,
  MODE.SYMLINK,
  MODE.FILE,
  MODE.BLOCK,
  MODE.DIRECTORY,
  MODE.CHARACTER,
  MODE.FIFO,
]);

/** Whether a dinode is of a kind that can be kept; the others are freed. */
export function isKept({ mode, height, size }: Dinode): boolean {
  const isBrokenLink = isSymlink({ mode }) && (height !== 0 || size === 0);
  return KNOWN_TYPES.has(mode & MODE.TYPE) && height <= MAX_HEIGHT && !isBrokenLink;
}

/**
 * Pass 1: every block that the bitmap calls a dinode is one, and everything that its pointers reach is what it should be,
 * lies in a resource group and belongs to nothing else.
 */
export function checkInodes(image: CheckImage, rgrps: CheckedRgrps): CheckedInodes {
  const inodes = new Map<number, CheckedInode>();
  const checker = new InodeChecker(image, rgrps);
  const unnamed = { links: 0, parent: 0, dotdot: 0, nameAt: undefined, dotdotAt: undefined };
  // All dinodes first: what a damaged tree says of their blocks is wrong.
  for (const rgrp of rgrps.all) {
    for (const state of [BLKST.DINODE, BLKST.UNLINKED] as const) {
      rgrp.forEachInState(state, (block) => {
        const dinode = checker.find(block, state);
        if (dinode !== undefined) inodes.set(block, { dinode, isUnlinked: state === BLKST.UNLINKED, ...unnamed });
      });
    }
  }
  for (const { dinode } of inodes.values()) checker.check(dinode);
  return inodes;
}

/** Part of an inode, and with that what becomes of a damaged one. */
type Part = 'tree' | 'leaves' | 'xattrs';

class InodeChecker {
  readonly #image: CheckImage;
  readonly #rgrps: CheckedRgrps;
  readonly #scratch: Uint8Array;
  /** Blocks of the inode at hand. */
  #count = 0;
  /** What is being looked at, and blocks that its tree must not lead to. */
  #part: Part = 'tree';
  #bad = new Set<number>();
  #addr = 0;

  constructor(image: CheckImage, rgrps: CheckedRgrps) {
    this.#image = image;
    this.#rgrps = rgrps;
    this.#scratch = new Uint8Array(image.geometry.blockSize);
  }

  /** The dinode that the bitmap speaks of. */
  find(block: number, state: BlockState): Dinode | undefined {
    const free: Fix = (fixer) => fixer.setState(block, BLKST.FREE);
    const dinode = this.#image.readDinode(block, this.#scratch);
    if (dinode === undefined) {
      this.#say('dinode-type', block, `block ${block} is a dinode in the bitmap, but not on disk`, free);
      return undefined;
    }
    if (dinode.addr !== block) {
      this.#say('dinode-address', block, `the dinode at ${block} says that it is at ${dinode.addr}`, (fixer) =>
        fixer.patchDinode(block, (di) => Object.assign(di, { addr: block })),
      );
      return undefined;
    }
    this.#rgrps.find(block)!.mark(block, state);
    return dinode;
  }

  /** Fields and everything that the inode leads to. */
  check(dinode: Dinode): void {
    const { addr } = dinode;
    this.#addr = addr;
    this.#bad = new Set();
    if (!this.#checkFields(dinode)) return;
    this.#count = 1;
    this.#part = 'tree';
    this.#checkTree(dinode);
    this.#part = 'leaves';
    if ((dinode.flags & DIF.EXHASH) !== 0) this.#checkLeaves(dinode);
    this.#part = 'xattrs';
    if (dinode.eattr !== 0) this.#checkXattrs(dinode);
    const blocks = this.#count;
    if (blocks === dinode.blocks) return;
    this.#say('dinode-blocks', addr, `inode ${addr} says ${dinode.blocks} blocks, ${blocks} were found`, (fixer) =>
      fixer.patchDinode(addr, (di) => Object.assign(di, { blocks })),
    );
  }

  /** False when the tree below cannot be trusted. */
  #checkFields(dinode: Dinode): boolean {
    const { addr, mode, height, size } = dinode;
    const { maxStuffed } = this.#image.geometry;
    if (!KNOWN_TYPES.has(mode & MODE.TYPE)) {
      this.#say('dinode-mode', addr, `inode ${addr} has mode 0${mode.toString(8)}`, (fixer) =>
        fixer.setState(addr, BLKST.FREE),
      );
      return false;
    }
    if (height > MAX_HEIGHT) {
      this.#say('dinode-height', addr, `inode ${addr} has height ${height}`, (fixer) =>
        fixer.setState(addr, BLKST.FREE),
      );
      return false;
    }
    this.#checkGoals(dinode);
    if (isDirectory(dinode)) return this.#checkDirectory(dinode);
    if (height === 0 && size > maxStuffed) {
      this.#say(
        'dinode-size',
        addr,
        `inode ${addr} has ${size} bytes in its dinode, at most ${maxStuffed} fit`,
        (fixer) => fixer.patchDinode(addr, (di) => Object.assign(di, { size: maxStuffed })),
      );
    }
    if (isSymlink(dinode) && (height !== 0 || size === 0)) {
      this.#say('dinode-size', addr, `symbolic link ${addr} has ${size} bytes at height ${height}`, (fixer) =>
        fixer.setState(addr, BLKST.FREE),
      );
    }
    if ((dinode.flags & DIF.EXHASH) !== 0) {
      this.#say('dinode-flags', addr, `inode ${addr} is no directory and marked as an exhash directory`, (fixer) =>
        fixer.patchDinode(addr, (di) => Object.assign(di, { flags: (di.flags & ~DIF.EXHASH) >>> 0 })),
      );
      return false;
    }
    return true;
  }

  #checkDirectory(dinode: Dinode): boolean {
    const { addr, flags, size, height, depth, payloadFormat } = dinode;
    const { maxStuffed } = this.#image.geometry;
    if ((flags & DIF.JDATA) === 0) {
      this.#say('dinode-flags', addr, `directory ${addr} does not journal its data`, (fixer) =>
        fixer.patchDinode(addr, (di) => Object.assign(di, { flags: (di.flags | DIF.JDATA) >>> 0 })),
      );
    }
    if ((flags & DIF.EXHASH) === 0) {
      if (size !== maxStuffed || height !== 0 || payloadFormat !== PAYLOAD.DIRENT) {
        const text = `size ${size}, height ${height} and payload format ${payloadFormat}`;
        this.#say('dinode-size', addr, `linear directory ${addr} has ${text}`, (fixer) => {
          if (height !== 0) fixer.rebuildDirectory(addr);
          else fixer.patchDinode(addr, (di) => Object.assign(di, { size: maxStuffed, payloadFormat: PAYLOAD.DIRENT }));
        });
      }
      return height === 0;
    }
    const isPlaced = height > 0 || size <= maxStuffed;
    if (hasHashTable(dinode) && payloadFormat === 0 && isPlaced) return true;
    const text = `size ${size}, height ${height}, payload format ${payloadFormat} at depth ${depth}`;
    this.#say('hash-table', addr, `exhash directory ${addr} has ${text}`, (fixer) => {
      const byDepth = 8 * 2 ** depth;
      const bySize = Math.log2(size / 8);
      if (!isPlaced) fixer.rebuildDirectory(addr);
      else if (Number.isInteger(bySize) && bySize <= MAX_DIR_DEPTH) {
        fixer.patchDinode(addr, (di) => Object.assign(di, { depth: bySize, payloadFormat: 0 }));
      } else if (depth <= MAX_DIR_DEPTH && (height > 0 || byDepth <= maxStuffed)) {
        fixer.patchDinode(addr, (di) => Object.assign(di, { size: byDepth, payloadFormat: 0 }));
      } else fixer.rebuildDirectory(addr);
    });
    return false;
  }

  /** System files keep the goals that mkfs gave them, which nobody looks at. */
  #checkGoals({ addr, flags, goalMeta, goalData }: Dinode): void {
    if ((flags & DIF.SYSTEM) !== 0) return;
    for (const goal of [goalMeta, goalData]) {
      if (goal === addr || (goal > this.#image.geometry.superblock && goal < this.#image.blocks)) continue;
      this.#say('dinode-goal', addr, `inode ${addr} has its goal at block ${goal}`, (fixer) =>
        fixer.patchDinode(addr, (di) => Object.assign(di, { goalMeta: addr, goalData: addr })),
      );
      return;
    }
  }

  #checkTree(dinode: Dinode): void {
    const { addr } = dinode;
    // A hash table has a metadata header in each of its blocks; file data has none.
    const isTable = isDirectory(dinode);
    this.#image.walkTree(dinode, {
      indirect: (block) => this.#mark(block, BLKST.USED, addr) && this.#hasType(block, META_TYPE.IN, addr),
      data: (block, lblock) => {
        if (!this.#mark(block, BLKST.USED, addr, isTable ? undefined : lblock) || !isTable) return;
        const bytes = this.#image.read(block, this.#scratch);
        if (bytes === undefined || !isMetaBlock(bytes, META_TYPE.JD)) {
          this.#say(
            'data-type',
            block,
            `block ${block} of the hash table of directory ${addr} has no header`,
            (fixer) => fixer.rebuildDirectory(addr),
          );
        }
      },
    });
  }

  #checkLeaves(dinode: Dinode): void {
    const { addr } = dinode;
    walkLeaves(this.#image, dinode, {
      enter: (block) => this.#mark(block, BLKST.USED, addr),
      fault: (rule, block, message, fix) => this.#say(rule, block, message, fix ?? this.#mending()),
      leaf: () => {},
    });
  }

  #checkXattrs(dinode: Dinode): void {
    checkXattrs(this.#image, dinode, {
      mark: (block) => this.#mark(block, BLKST.USED, dinode.addr),
      fault: (rule, block, message) => this.#say(rule, block, message, this.#mending()),
    });
  }

  #hasType(block: number, type: typeof META_TYPE.IN, owner: number): boolean {
    const bytes = this.#image.read(block, this.#scratch);
    if (bytes !== undefined && isMetaBlock(bytes, type)) return true;
    this.#say(
      'indirect-type',
      block,
      `block ${block} of inode ${owner} is not an indirect block`,
      this.#mending(block),
    );
    return false;
  }

  /** Notes a block of an inode, `lblock` of its data. False when it is not in a resource group, or something else has it. */
  #mark(block: number, state: BlockState, owner: number, lblock?: number): boolean {
    const rgrp = this.#rgrps.find(block);
    if (rgrp === undefined) {
      const text = `inode ${owner} points at block ${block}, which is in no resource group`;
      this.#say('pointer-outside', owner, text, this.#mending(block));
      return false;
    }
    this.#count += 1;
    if (rgrp.mark(block, state)) return true;
    const text = `block ${block} belongs to inode ${owner} and to something else`;
    const fix: Fix = lblock === undefined ? this.#mending(block) : (fixer) => fixer.pendCopy(owner, lblock, block);
    this.#image.report('pass1b', 'pointer-shared', block, text, fix);
    return false;
  }

  /** What to do when a block is not what the inode needs: its tree goes on without it, a directory is made anew. */
  #mending(block?: number): Fix {
    const addr = this.#addr;
    const bad = this.#bad;
    if (this.#part === 'xattrs') return (fixer) => fixer.dropXattrs(addr);
    if (this.#part === 'leaves') return (fixer) => fixer.rebuildDirectory(addr);
    if (block !== undefined) bad.add(block);
    return (fixer) => fixer.dropPointers(addr, bad);
  }

  #say(rule: Parameters<CheckImage['report']>[1], block: number, message: string, fix: Fix): void {
    this.#image.report('pass1', rule, block, message, fix);
  }
}
