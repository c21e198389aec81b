import { utf8Text } from '@quorate/kernel';
import { INUM_RANGE_BYTES, STATFS_BYTES } from '../ondisk/accounting.js';
import { DIF, type Dinode, isDirectory, isRegular, PAYLOAD } from '../ondisk/dinode.js';
import { isEmpty, listDirents } from '../ondisk/dirent-block.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { LEAF_BYTES } from '../ondisk/leaf.js';
import { initMetaBlock, isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { RINDEX_ENTRY_BYTES } from '../ondisk/rindex.js';
import type { Inum, Superblock } from '../ondisk/superblock.js';
import type { Fix } from './fix.js';
import type { CheckImage } from './image.js';
import { eachOnce, walkLeaves } from './leaves.js';

/** The files of one node. */
export interface NodeFiles {
  readonly journal: Dinode;
  readonly statfsChange: Dinode | undefined;
}

/** The system files, as far as they are what they should be. */
export interface CheckedSystemFiles {
  readonly rindex: Dinode | undefined;
  readonly statfs: Dinode | undefined;
  readonly nodes: readonly NodeFiles[];
  /** Dinodes of all of them, directories and root too. */
  readonly addrs: readonly number[];
}

/** Finds the system files from the superblock on, and says which are missing or of the wrong kind. */
export class SystemFileChecker {
  readonly #image: CheckImage;
  readonly #scratch: Uint8Array;
  readonly #addrs: number[] = [];
  readonly #listings = new Map<number, ReadonlyMap<string, Inum>>();

  constructor(image: CheckImage) {
    this.#image = image;
    this.#scratch = new Uint8Array(image.geometry.blockSize);
  }

  check(superblock: Superblock): CheckedSystemFiles {
    this.#directory('root', superblock.rootDir, 0);
    const master = this.#directory('master', superblock.masterDir, DIF.SYSTEM);
    const addrs = this.#addrs;
    if (master === undefined) return { rindex: undefined, statfs: undefined, nodes: [], addrs };
    this.#file(master, 'inum', 8);
    this.#file(master, 'quota', 0, PAYLOAD.QUOTA);
    const rindex = this.#file(master, 'rindex', 0, PAYLOAD.RINDEX);
    if (rindex !== undefined && (rindex.size === 0 || rindex.size % RINDEX_ENTRY_BYTES !== 0)) {
      const text = `rindex has ${rindex.size} bytes, no multiple of ${RINDEX_ENTRY_BYTES}`;
      this.#say('system-content', rindex.addr, text, (fixer) => fixer.rebuildRindex(rindex, []));
    }
    return { rindex, statfs: this.#file(master, 'statfs', STATFS_BYTES), nodes: this.#nodes(master), addrs };
  }

  #nodes(master: Dinode): NodeFiles[] {
    const jindex = this.#subdirectory(master, 'jindex');
    const perNode = this.#subdirectory(master, 'per_node');
    const nodes: NodeFiles[] = [];
    if (jindex === undefined || perNode === undefined) return nodes;
    // Besides `.` and `..` every entry is a journal, numbered from 0 without a gap.
    const journals = this.#names(jindex).size - 2;
    for (let jid = 0; jid < journals; jid++) {
      const journal = this.#file(jindex, `journal${jid}`, 0);
      this.#file(perNode, `inum_range${jid}`, INUM_RANGE_BYTES);
      const statfsChange = this.#file(perNode, `statfs_change${jid}`, STATFS_BYTES);
      const quotaChange = this.#file(perNode, `quota_change${jid}`, 0);
      if (quotaChange !== undefined) this.#checkQuotaChange(jid, quotaChange);
      if (journal !== undefined) nodes.push({ journal, statfsChange });
    }
    if (journals <= 0) this.#say('system-inode', jindex.addr, 'jindex has no journals');
    return nodes;
  }

  #checkQuotaChange(jid: number, { addr, size, height }: Dinode): void {
    const { blockSize } = this.#image.geometry;
    // One that says it is somewhere else is for another pass.
    const dinode = this.#image.readDinode(addr, this.#scratch);
    if (dinode === undefined) return;
    let blocks = 0;
    this.#image.walkTree(dinode, {
      data: (block) => {
        blocks += 1;
        const bytes = this.#image.read(block, this.#scratch);
        if (bytes === undefined || isMetaBlock(bytes, META_TYPE.QC)) return;
        this.#say('system-content', block, `block ${block} of quota_change${jid} holds no quota changes`, (fixer) =>
          fixer.patch(block, (block) => initMetaBlock(block, META_TYPE.QC)),
        );
      },
    });
    if (height === 0 || blocks * blockSize !== size) {
      this.#say('system-content', addr, `quota_change${jid} has ${size} bytes and ${blocks} blocks`);
    }
  }

  #directory(name: string, inum: Inum, flags: number): Dinode | undefined {
    const dinode = this.#image.readDinode(inum.addr, this.#scratch);
    if (dinode === undefined || !isDirectory(dinode) || dinode.formalIno !== inum.formalIno) {
      this.#say('system-inode', inum.addr, `${name} is not a directory at block ${inum.addr}`);
      return undefined;
    }
    this.#addrs.push(dinode.addr);
    if ((dinode.flags & flags) !== flags) {
      this.#say('system-inode', inum.addr, `${name} is not marked as a system directory`, (fixer) =>
        fixer.patchDinode(inum.addr, (di) => Object.assign(di, { flags: (di.flags | flags) >>> 0 })),
      );
    }
    return dinode;
  }

  #subdirectory(parent: Dinode, name: string): Dinode | undefined {
    const inum = this.#names(parent).get(name);
    if (inum !== undefined) return this.#directory(name, inum, DIF.SYSTEM);
    this.#say('system-inode', parent.addr, `${name} is missing`);
    return undefined;
  }

  /** A system file; `size` 0 is any. */
  #file(parent: Dinode, name: string, size: number, payloadFormat = 0): Dinode | undefined {
    const inum = this.#names(parent).get(name);
    const dinode = inum === undefined ? undefined : this.#image.readDinode(inum.addr, this.#scratch);
    if (dinode === undefined || !isRegular(dinode)) {
      this.#say('system-inode', inum?.addr ?? parent.addr, `${name} is missing or not a regular file`);
      return undefined;
    }
    this.#addrs.push(dinode.addr);
    if ((dinode.flags & DIF.SYSTEM) === 0 || dinode.payloadFormat !== payloadFormat) {
      const text = `flags 0x${dinode.flags.toString(16)} and payload format ${dinode.payloadFormat}`;
      this.#say('system-inode', dinode.addr, `${name} has ${text}`, (fixer) =>
        fixer.patchDinode(dinode.addr, (di) =>
          Object.assign(di, { flags: (di.flags | DIF.SYSTEM) >>> 0, payloadFormat }),
        ),
      );
    }
    if (size !== 0 && dinode.size !== size) {
      this.#say('system-content', dinode.addr, `${name} has ${dinode.size} bytes, ${size} are right`);
      return undefined;
    }
    return dinode;
  }

  /** The names in a directory, read once. */
  #names(dir: Dinode): ReadonlyMap<string, Inum> {
    const known = this.#listings.get(dir.addr);
    if (known !== undefined) return known;
    const names = new Map<string, Inum>();
    const list = (bytes: Uint8Array, start: number): void => {
      for (const dirent of listDirents(bytes, start) ?? []) {
        if (!isEmpty(dirent)) names.set(utf8Text(dirent.name), { formalIno: dirent.formalIno, addr: dirent.addr });
      }
    };
    if ((dir.flags & DIF.EXHASH) === 0) {
      const bytes = this.#image.read(dir.addr, this.#scratch);
      if (bytes !== undefined) list(bytes, DINODE_BYTES);
    } else {
      walkLeaves(this.#image, dir, {
        enter: eachOnce(),
        fault: () => {},
        leaf: (_block, _header, bytes) => list(bytes, LEAF_BYTES),
      });
    }
    this.#listings.set(dir.addr, names);
    return names;
  }

  #say(rule: 'system-inode' | 'system-content', block: number, message: string, fix?: Fix): void {
    this.#image.report('initialize', rule, block, message, fix);
  }
}
