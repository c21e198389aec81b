import { utf8Text } from '@quorate/kernel';
import { DIF, type Dinode, direntTypeOf, isDirectory } from '../ondisk/dinode.js';
import { type Dirent, decodeDirent, direntHash } from '../ondisk/dirent.js';
import { direntFault, hashIndex, isEmpty } from '../ondisk/dirent-block.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { LEAF_BYTES } from '../ondisk/leaf.js';
import type { CheckedInode, CheckedInodes } from './checked-inode.js';
import type { CheckRule } from './finding.js';
import type { CheckImage } from './image.js';
import { eachOnce, walkLeaves } from './leaves.js';

/**
 * Pass 2: every record of every directory, its hash and place, and the inode that it names. Counts links, and notes the
 * parents of directories.
 */
export function checkDirectories(image: CheckImage, inodes: CheckedInodes): void {
  for (const inode of inodes.values()) {
    if (isDirectory(inode.dinode) && !inode.isUnlinked) new DirectoryChecker(image, inodes, inode).check();
  }
}

class DirectoryChecker {
  readonly #image: CheckImage;
  readonly #inodes: CheckedInodes;
  readonly #inode: CheckedInode;
  readonly #dir: Dinode;
  #entries = 0;
  #dots = 0;
  #dotdots = 0;

  constructor(image: CheckImage, inodes: CheckedInodes, inode: CheckedInode) {
    this.#image = image;
    this.#inodes = inodes;
    this.#inode = inode;
    this.#dir = inode.dinode;
  }

  check(): void {
    const { addr, flags, entries } = this.#dir;
    if ((flags & DIF.EXHASH) === 0) this.#checkLinear();
    else this.#checkLeaves();
    if (this.#entries !== entries) {
      this.#say('dir-entries', addr, `directory ${addr} says ${entries} entries, ${this.#entries} were found`);
    }
    if (this.#dots !== 1) this.#say('dirent-dot', addr, `directory ${addr} has ${this.#dots} entries "."`);
    if (this.#dotdots !== 1) this.#say('dirent-dot', addr, `directory ${addr} has ${this.#dotdots} entries ".."`);
  }

  #checkLinear(): void {
    const bytes = this.#image.read(this.#dir.addr, new Uint8Array(this.#image.geometry.blockSize));
    if (bytes !== undefined) this.#checkRecords(this.#dir.addr, bytes, DINODE_BYTES, () => true);
  }

  #checkLeaves(): void {
    walkLeaves(this.#image, this.#dir, {
      // What is wrong with a leaf itself was said in pass 1.
      enter: eachOnce(),
      fault: () => {},
      leaf: (block, header, bytes, first, count) => {
        const found = this.#checkRecords(block, bytes, LEAF_BYTES, (hash) => {
          const index = hashIndex(hash, this.#dir.depth);
          return index >= first && index < first + count;
        });
        if (found !== header.entries) {
          this.#say('leaf-entries', block, `leaf ${block} says ${header.entries} entries, ${found} were found`);
        }
      },
    });
  }

  #checkRecords(block: number, bytes: Uint8Array, start: number, isAtHome: (hash: number) => boolean): number {
    let found = 0;
    for (let at = start; at < bytes.length; ) {
      const fault = direntFault(bytes, start, at);
      if (fault !== undefined) {
        this.#say('dirent-record', block, `directory ${this.#dir.addr}, byte ${at} of block ${block}: ${fault}`);
        break;
      }
      const dirent = decodeDirent(bytes, at);
      if (!isEmpty(dirent)) {
        found += 1;
        this.#checkEntry(block, dirent, isAtHome);
      }
      at += dirent.recLen;
    }
    this.#entries += found;
    return found;
  }

  #checkEntry(block: number, dirent: Dirent, isAtHome: (hash: number) => boolean): void {
    if (direntHash(dirent.name) !== dirent.hash) {
      this.#say('dirent-hash', block, `${this.#named(dirent)} has the hash ${dirent.hash.toString(16)}`);
    } else if (!isAtHome(dirent.hash)) {
      this.#say('dirent-leaf', block, `${this.#named(dirent)} is in a leaf where nobody looks for it`);
    }
    const inode = this.#inodes.get(dirent.addr);
    if (inode === undefined) {
      this.#say('dirent-target', block, `${this.#named(dirent)} leads to block ${dirent.addr}, which is no inode`);
      return;
    }
    this.#checkTarget(block, dirent, inode);
  }

  #checkTarget(block: number, dirent: Dirent, inode: CheckedInode): void {
    const { dinode } = inode;
    if (inode.isUnlinked) this.#say('dirent-target', block, `${this.#named(dirent)} leads to an unlinked inode`);
    if (dirent.formalIno !== dinode.formalIno) {
      const text = `formal number ${dirent.formalIno}, inode ${dinode.addr} has ${dinode.formalIno}`;
      this.#say('dirent-formal', block, `${this.#named(dirent)} has the ${text}`);
    }
    if (dirent.type !== direntTypeOf(dinode.mode)) {
      const text = `type ${dirent.type}, inode ${dinode.addr} is of type ${direntTypeOf(dinode.mode)}`;
      this.#say('dirent-type', block, `${this.#named(dirent)} has the ${text}`);
    }
    inode.links += 1;
    if (isDot(dirent.name)) this.#checkDot(dirent);
    else if (isDotdot(dirent.name)) {
      this.#dotdots += 1;
      this.#inode.dotdot = dirent.addr;
    } else if (isDirectory(dinode)) this.#adopt(block, dirent, inode);
  }

  #checkDot(dirent: Dirent): void {
    const { addr } = this.#dir;
    this.#dots += 1;
    if (dirent.addr !== addr) this.#say('dirent-dot', addr, `"." of directory ${addr} leads to ${dirent.addr}`);
  }

  /** A directory has one name. */
  #adopt(block: number, dirent: Dirent, inode: CheckedInode): void {
    if (inode.parent !== 0) {
      const text = `a second name for directory ${dirent.addr}, which is in directory ${inode.parent}`;
      this.#say('dir-linked-twice', block, `${this.#named(dirent)} is ${text}`);
    } else inode.parent = this.#dir.addr;
  }

  #named({ name }: Dirent): string {
    return `"${utf8Text(name)}" in directory ${this.#dir.addr}`;
  }

  #say(rule: CheckRule, block: number, message: string): void {
    this.#image.report('pass2', rule, block, message);
  }
}

function isDot(name: Uint8Array): boolean {
  return name.length === 1 && name[0] === 0x2e;
}

function isDotdot(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
}
