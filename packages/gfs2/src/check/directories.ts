import { utf8Text } from '@quorate/kernel';
import { BLKST } from '../bitmap.js';
import { DIF, type Dinode, direntTypeOf, isDirectory } from '../ondisk/dinode.js';
import { type Dirent, decodeDirent, direntHash } from '../ondisk/dirent.js';
import { direntFault, hashIndex, isEmpty } from '../ondisk/dirent-block.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { LEAF_BYTES } from '../ondisk/leaf.js';
import type { CheckedInode, CheckedInodes } from './checked-inode.js';
import type { CheckRule } from './finding.js';
import type { EntryPlace, Fix } from './fix.js';
import type { CheckImage } from './image.js';
import { isKept } from './inodes.js';
import { eachOnce, walkLeaves } from './leaves.js';
import type { CheckedRgrps } from './rgrps.js';

/**
 * Pass 2: every record of every directory, its hash and place, and the inode that it names. Counts links, and notes the
 * parents of directories.
 */
export function checkDirectories(image: CheckImage, inodes: CheckedInodes, rgrps: CheckedRgrps): void {
  for (const inode of inodes.values()) {
    if (isDirectory(inode.dinode) && !inode.isUnlinked) new DirectoryChecker(image, inodes, rgrps, inode).check();
  }
}

class DirectoryChecker {
  readonly #image: CheckImage;
  readonly #inodes: CheckedInodes;
  readonly #rgrps: CheckedRgrps;
  readonly #inode: CheckedInode;
  readonly #dir: Dinode;
  #entries = 0;
  #dots = 0;
  #dotdots = 0;

  constructor(image: CheckImage, inodes: CheckedInodes, rgrps: CheckedRgrps, inode: CheckedInode) {
    this.#rgrps = rgrps;
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
      const found = this.#entries;
      this.#say('dir-entries', addr, `directory ${addr} says ${entries} entries, ${found} were found`, (fixer) =>
        fixer.patchDinode(addr, (di) => Object.assign(di, { entries: found })),
      );
    }
    const rebuild: Fix = (fixer) => fixer.rebuildDirectory(addr);
    if (this.#dots !== 1) this.#say('dirent-dot', addr, `directory ${addr} has ${this.#dots} entries "."`, rebuild);
    if (this.#dotdots !== 1) {
      this.#say('dirent-dot', addr, `directory ${addr} has ${this.#dotdots} entries ".."`, rebuild);
    }
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
          this.#say(
            'leaf-entries',
            block,
            `leaf ${block} says ${header.entries} entries, ${found} were found`,
            (fixer) => fixer.patch(block, (_, view) => view.setUint16(26, found)),
          );
        }
      },
    });
  }

  #checkRecords(block: number, bytes: Uint8Array, start: number, isAtHome: (hash: number) => boolean): number {
    let found = 0;
    for (let at = start; at < bytes.length; ) {
      const fault = direntFault(bytes, start, at);
      if (fault !== undefined) {
        const text = `directory ${this.#dir.addr}, byte ${at} of block ${block}: ${fault}`;
        this.#say('dirent-record', block, text, (fixer) => fixer.rebuildDirectory(this.#dir.addr));
        break;
      }
      const dirent = decodeDirent(bytes, at);
      if (!isEmpty(dirent)) {
        found += 1;
        this.#checkEntry({ block, start, offset: at }, dirent, isAtHome);
      }
      at += dirent.recLen;
    }
    this.#entries += found;
    return found;
  }

  #checkEntry(place: EntryPlace, dirent: Dirent, isAtHome: (hash: number) => boolean): void {
    const { block } = place;
    if (dirent.name.some((byte) => byte === 0 || byte === 0x2f)) {
      const text = `${this.#named(dirent)} has a byte that no name can have`;
      this.#say('dirent-record', block, text, this.#removing(place, dirent));
    }
    if (direntHash(dirent.name) !== dirent.hash) {
      this.#say(
        'dirent-hash',
        block,
        `${this.#named(dirent)} has the hash ${dirent.hash.toString(16)}`,
        this.#moving(place, dirent),
      );
    } else if (!isAtHome(dirent.hash)) {
      this.#say(
        'dirent-leaf',
        block,
        `${this.#named(dirent)} is in a leaf where nobody looks for it`,
        this.#moving(place, dirent),
      );
    }
    const inode = this.#inodes.get(dirent.addr);
    if (inode === undefined) {
      const text = `${this.#named(dirent)} leads to block ${dirent.addr}, which is no inode`;
      this.#say(
        'dirent-target',
        block,
        text,
        this.#isLostInode(dirent) ? claim(dirent) : this.#removing(place, dirent),
      );
    } else this.#checkTarget(place, dirent, inode);
  }

  #checkTarget(place: EntryPlace, dirent: Dirent, inode: CheckedInode): void {
    const { block, offset } = place;
    const { dinode } = inode;
    if (inode.isUnlinked) {
      this.#say(
        'dirent-target',
        block,
        `${this.#named(dirent)} leads to an unlinked inode`,
        this.#removing(place, dirent),
      );
    }
    if (dirent.formalIno !== dinode.formalIno) {
      const text = `formal number ${dirent.formalIno}, inode ${dinode.addr} has ${dinode.formalIno}`;
      this.#say('dirent-formal', block, `${this.#named(dirent)} has the ${text}`, this.#removing(place, dirent));
    }
    if (dirent.type !== direntTypeOf(dinode.mode)) {
      const text = `type ${dirent.type}, inode ${dinode.addr} is of type ${direntTypeOf(dinode.mode)}`;
      this.#say('dirent-type', block, `${this.#named(dirent)} has the ${text}`, (fixer) =>
        fixer.patch(block, (_, view) => view.setUint16(offset + 24, direntTypeOf(dinode.mode))),
      );
    }
    inode.links += 1;
    if (isDot(dirent.name)) this.#checkDot(place, dirent);
    else if (isDotdot(dirent.name)) {
      this.#dotdots += 1;
      this.#inode.dotdot = dirent.addr;
      this.#inode.dotdotAt = place;
    } else if (isDirectory(dinode)) this.#adopt(place, dirent, inode);
  }

  #checkDot(place: EntryPlace, dirent: Dirent): void {
    const { addr } = this.#dir;
    this.#dots += 1;
    if (dirent.addr === addr) return;
    const text = `"." of directory ${addr} leads to ${dirent.addr}`;
    this.#say('dirent-dot', addr, text, this.#removing(place, dirent));
  }

  /** A directory has one name. */
  #adopt(place: EntryPlace, dirent: Dirent, inode: CheckedInode): void {
    if (inode.parent !== 0) {
      const text = `a second name for directory ${dirent.addr}, which is in directory ${inode.parent}`;
      this.#say('dir-linked-twice', place.block, `${this.#named(dirent)} is ${text}`, this.#removing(place, dirent));
      return;
    }
    inode.parent = this.#dir.addr;
    inode.nameAt = place;
  }

  /** Whether the inode is there, and only the bitmap does not know it. */
  #isLostInode({ addr, formalIno }: Dirent): boolean {
    if (this.#rgrps.find(addr)?.isUnclaimed(addr) !== true) return false;
    const dinode = this.#image.readDinode(addr, new Uint8Array(this.#image.geometry.blockSize));
    return dinode?.addr === addr && dinode.formalIno === formalIno && dinode.nlink > 0 && isKept(dinode);
  }

  /** Takes an entry away; `.` and `..` are made to lead where they can. */
  #removing(place: EntryPlace, { name }: Dirent): Fix {
    if (isDot(name)) return (fixer) => fixer.retarget(place, this.#dir);
    if (isDotdot(name)) return (fixer) => fixer.retarget(place, fixer.root);
    return (fixer) => fixer.removeEntry(place);
  }

  /** Enters a name again where it belongs. */
  #moving(place: EntryPlace, dirent: Dirent): Fix {
    const { addr } = this.#dir;
    const entry = { ...dirent, name: dirent.name.slice(), dir: addr };
    if (isDot(entry.name) || isDotdot(entry.name)) return (fixer) => fixer.rebuildDirectory(addr);
    return (fixer) => {
      fixer.removeEntry(place);
      fixer.pend(entry);
    };
  }

  #named({ name }: Dirent): string {
    return `"${utf8Text(name)}" in directory ${this.#dir.addr}`;
  }

  #say(rule: CheckRule, block: number, message: string, fix: Fix): void {
    this.#image.report('pass2', rule, block, message, fix);
  }
}

function claim({ addr }: Dirent): Fix {
  return (fixer) => fixer.setState(addr, BLKST.DINODE);
}

function isDot(name: Uint8Array): boolean {
  return name.length === 1 && name[0] === 0x2e;
}

function isDotdot(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
}
