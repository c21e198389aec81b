import { BLKST, type BlockState } from '../bitmap.js';
import { DIF, type Dinode, isDirectory, isSymlink, MODE, PAYLOAD } from '../ondisk/dinode.js';
import { MAX_HEIGHT } from '../ondisk/geometry.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import type { CheckedInode, CheckedInodes } from './checked-inode.js';
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

/**
 * Pass 1: every block that the bitmap calls a dinode is one, and everything that its pointers reach is what it should be,
 * lies in a resource group and belongs to nothing else.
 */
export function checkInodes(image: CheckImage, rgrps: CheckedRgrps): CheckedInodes {
  const inodes = new Map<number, CheckedInode>();
  const checker = new InodeChecker(image, rgrps);
  for (const rgrp of rgrps.all) {
    for (const state of [BLKST.DINODE, BLKST.UNLINKED] as const) {
      rgrp.forEachInState(state, (block) => {
        const dinode = checker.check(block, state);
        if (dinode === undefined) return;
        inodes.set(block, { dinode, isUnlinked: state === BLKST.UNLINKED, links: 0, parent: 0, dotdot: 0 });
      });
    }
  }
  return inodes;
}

class InodeChecker {
  readonly #image: CheckImage;
  readonly #rgrps: CheckedRgrps;
  readonly #scratch: Uint8Array;
  /** Blocks of the inode at hand. */
  #count = 0;

  constructor(image: CheckImage, rgrps: CheckedRgrps) {
    this.#image = image;
    this.#rgrps = rgrps;
    this.#scratch = new Uint8Array(image.geometry.blockSize);
  }

  check(block: number, state: BlockState): Dinode | undefined {
    const dinode = this.#image.readDinode(block, this.#scratch);
    if (dinode === undefined) {
      this.#say('dinode-type', block, `block ${block} is a dinode in the bitmap, but not on disk`);
      return undefined;
    }
    if (dinode.addr !== block) {
      this.#say('dinode-address', block, `the dinode at ${block} says that it is at ${dinode.addr}`);
      return undefined;
    }
    if (!this.#mark(block, state, block)) return undefined;
    if (!this.#checkFields(dinode)) return dinode;
    this.#count = 1;
    this.#checkTree(dinode);
    if ((dinode.flags & DIF.EXHASH) !== 0) this.#checkLeaves(dinode);
    if (dinode.eattr !== 0) this.#checkXattrs(dinode);
    if (this.#count !== dinode.blocks) {
      this.#say('dinode-blocks', block, `inode ${block} says ${dinode.blocks} blocks, ${this.#count} were found`);
    }
    return dinode;
  }

  /** False when the tree below cannot be trusted. */
  #checkFields(dinode: Dinode): boolean {
    const { addr, mode, height, size } = dinode;
    const { maxStuffed } = this.#image.geometry;
    if (!KNOWN_TYPES.has(mode & MODE.TYPE)) {
      this.#say('dinode-mode', addr, `inode ${addr} has mode 0${mode.toString(8)}`);
      return false;
    }
    if (height > MAX_HEIGHT) {
      this.#say('dinode-height', addr, `inode ${addr} has height ${height}`);
      return false;
    }
    this.#checkGoals(dinode);
    if (isDirectory(dinode)) return this.#checkDirectory(dinode);
    if (height === 0 && size > maxStuffed) {
      this.#say('dinode-size', addr, `inode ${addr} has ${size} bytes in its dinode, at most ${maxStuffed} fit`);
    }
    if (isSymlink(dinode) && (height !== 0 || size === 0)) {
      this.#say('dinode-size', addr, `symbolic link ${addr} has ${size} bytes at height ${height}`);
    }
    if ((dinode.flags & DIF.EXHASH) !== 0) {
      this.#say('dinode-flags', addr, `inode ${addr} is no directory and marked as an exhash directory`);
      return false;
    }
    return true;
  }

  #checkDirectory(dinode: Dinode): boolean {
    const { addr, flags, size, height, depth, payloadFormat } = dinode;
    const { maxStuffed } = this.#image.geometry;
    if ((flags & DIF.JDATA) === 0) this.#say('dinode-flags', addr, `directory ${addr} does not journal its data`);
    if ((flags & DIF.EXHASH) === 0) {
      if (size !== maxStuffed || height !== 0 || payloadFormat !== PAYLOAD.DIRENT) {
        const text = `size ${size}, height ${height} and payload format ${payloadFormat}`;
        this.#say('dinode-size', addr, `linear directory ${addr} has ${text}`);
      }
      return height === 0;
    }
    const isPlaced = height > 0 || size <= maxStuffed;
    if (hasHashTable(dinode) && payloadFormat === 0 && isPlaced) return true;
    const text = `size ${size}, height ${height}, payload format ${payloadFormat} at depth ${depth}`;
    this.#say('hash-table', addr, `exhash directory ${addr} has ${text}`);
    return false;
  }

  /** System files keep the goals that mkfs gave them, which nobody looks at. */
  #checkGoals({ addr, flags, goalMeta, goalData }: Dinode): void {
    if ((flags & DIF.SYSTEM) !== 0) return;
    for (const goal of [goalMeta, goalData]) {
      if (goal === addr || (goal > this.#image.geometry.superblock && goal < this.#image.blocks)) continue;
      this.#say('dinode-goal', addr, `inode ${addr} has its goal at block ${goal}`);
      return;
    }
  }

  #checkTree(dinode: Dinode): void {
    const { addr } = dinode;
    // A hash table has a metadata header in each of its blocks; file data has none.
    const isTable = isDirectory(dinode);
    this.#image.walkTree(dinode, {
      indirect: (block) => this.#mark(block, BLKST.USED, addr) && this.#hasType(block, META_TYPE.IN, addr),
      data: (block) => {
        if (!this.#mark(block, BLKST.USED, addr) || !isTable) return;
        const bytes = this.#image.read(block, this.#scratch);
        if (bytes === undefined || !isMetaBlock(bytes, META_TYPE.JD)) {
          this.#say('data-type', block, `block ${block} of the hash table of directory ${addr} has no header`);
        }
      },
    });
  }

  #checkLeaves(dinode: Dinode): void {
    const { addr } = dinode;
    walkLeaves(this.#image, dinode, {
      enter: (block) => this.#mark(block, BLKST.USED, addr),
      fault: (rule, block, message) => this.#say(rule, block, message),
      leaf: () => {},
    });
  }

  #checkXattrs(dinode: Dinode): void {
    checkXattrs(this.#image, dinode, {
      mark: (block) => this.#mark(block, BLKST.USED, dinode.addr),
      fault: (rule, block, message) => this.#say(rule, block, message),
    });
  }

  #hasType(block: number, type: typeof META_TYPE.IN, owner: number): boolean {
    const bytes = this.#image.read(block, this.#scratch);
    if (bytes !== undefined && isMetaBlock(bytes, type)) return true;
    this.#say('indirect-type', block, `block ${block} of inode ${owner} is not an indirect block`);
    return false;
  }

  /** Notes a block of an inode. False when it is not in a resource group, or something else has it. */
  #mark(block: number, state: BlockState, owner: number): boolean {
    const rgrp = this.#rgrps.find(block);
    if (rgrp === undefined) {
      this.#say('pointer-outside', owner, `inode ${owner} points at block ${block}, which is in no resource group`);
      return false;
    }
    this.#count += 1;
    if (rgrp.mark(block, state)) return true;
    this.#image.report(
      'pass1b',
      'pointer-shared',
      block,
      `block ${block} belongs to inode ${owner} and to something else`,
    );
    return false;
  }

  #say(rule: Parameters<CheckImage['report']>[1], block: number, message: string): void {
    this.#image.report('pass1', rule, block, message);
  }
}
