import { BLKST } from '../bitmap.js';
import { type Dinode, isDirectory, isRegular } from '../ondisk/dinode.js';
import type { CheckedInode, CheckedInodes } from './checked-inode.js';
import type { Fix, Fixer } from './fix.js';
import type { CheckImage } from './image.js';

/** Pass 3: every directory is reached from root or master, and its `..` leads to where its name is. */
export function checkConnectivity(image: CheckImage, inodes: CheckedInodes, tops: readonly number[]): void {
  const reached = new Set<number>(tops);
  for (const [addr, inode] of inodes) {
    if (!isDirectory(inode.dinode) || inode.isUnlinked) continue;
    if (!isReached(inodes, addr, reached)) {
      image.report('pass3', 'dir-unreachable', addr, `directory ${addr} is not reached from root or master`, (fixer) =>
        bringHome(fixer, inodes, inode),
      );
    }
    const parent = tops.includes(addr) ? addr : inode.parent;
    if (parent !== 0 && inode.dotdot !== 0 && inode.dotdot !== parent) {
      const text = `".." of directory ${addr} leads to ${inode.dotdot}, not to ${parent}`;
      image.report('pass3', 'dir-parent', addr, text, (fixer) => {
        if (inode.dotdotAt !== undefined) fixer.retarget(inode.dotdotAt, inodes.get(parent)!.dinode);
      });
    }
  }
}

/** A directory that nothing leads to goes to lost+found; of those that lead to each other the first one is taken out. */
function bringHome(fixer: Fixer, inodes: CheckedInodes, inode: CheckedInode): void {
  const { addr } = inode.dinode;
  if (inode.parent === 0) return fixer.adopt(inode.dinode);
  const loop = new Set<number>();
  for (let at = addr; at !== 0 && !loop.has(at); at = inodes.get(at)?.parent ?? 0) loop.add(at);
  const isInLoop = [...loop].some((at) => inodes.get(at)?.parent === addr);
  if (isInLoop && addr === Math.min(...loop) && inode.nameAt !== undefined) fixer.removeEntry(inode.nameAt);
}

/** Goes up until something is known; what is below it then is known too. */
function isReached(inodes: CheckedInodes, addr: number, reached: Set<number>): boolean {
  const path = new Set<number>();
  let at = addr;
  while (at !== 0 && !reached.has(at) && !path.has(at)) {
    path.add(at);
    at = inodes.get(at)?.parent ?? 0;
  }
  if (!reached.has(at)) return false;
  for (const below of path) reached.add(below);
  return true;
}

/** Pass 4: the link count of every inode is the number of entries that name it; 0 for an unlinked one. */
export function checkLinks(image: CheckImage, inodes: CheckedInodes): void {
  for (const [addr, inode] of inodes) {
    const { nlink } = inode.dinode;
    const links = expectedLinks(inode);
    const fix: Fix = (fixer) => {
      if (links > 0 || inode.isUnlinked) fixer.patchDinode(addr, (di) => Object.assign(di, { nlink: links }));
      else if (isWorthless(inode.dinode)) fixer.setState(addr, BLKST.FREE);
      else fixer.adopt(inode.dinode);
    };
    if (nlink !== links) {
      image.report('pass4', 'nlink', addr, `inode ${addr} says ${nlink} links, ${links} were found`, fix);
    } else if (links === 0 && !inode.isUnlinked) {
      image.report('pass4', 'nlink', addr, `inode ${addr} has no name and is not marked as unlinked`, fix);
    }
  }
}

/** A file without a name in which nothing is. */
function isWorthless(dinode: Dinode): boolean {
  return isRegular(dinode) && dinode.size === 0 && dinode.eattr === 0;
}

function expectedLinks(inode: CheckedInode): number {
  return inode.isUnlinked ? 0 : inode.links;
}
