import { isDirectory } from '../ondisk/dinode.js';
import type { CheckedInode, CheckedInodes } from './checked-inode.js';
import type { CheckImage } from './image.js';

/** Pass 3: every directory is reached from root or master, and its `..` leads to where its name is. */
export function checkConnectivity(image: CheckImage, inodes: CheckedInodes, tops: readonly number[]): void {
  const reached = new Set<number>(tops);
  for (const [addr, inode] of inodes) {
    if (!isDirectory(inode.dinode) || inode.isUnlinked) continue;
    if (!isReached(inodes, addr, reached)) {
      image.report('pass3', 'dir-unreachable', addr, `directory ${addr} is not reached from root or master`);
    }
    const parent = tops.includes(addr) ? addr : inode.parent;
    if (parent !== 0 && inode.dotdot !== 0 && inode.dotdot !== parent) {
      image.report('pass3', 'dir-parent', addr, `".." of directory ${addr} leads to ${inode.dotdot}, not to ${parent}`);
    }
  }
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
    if (nlink !== links) image.report('pass4', 'nlink', addr, `inode ${addr} says ${nlink} links, ${links} were found`);
    else if (links === 0 && !inode.isUnlinked) {
      image.report('pass4', 'nlink', addr, `inode ${addr} has no name and is not marked as unlinked`);
    }
  }
}

function expectedLinks(inode: CheckedInode): number {
  return inode.isUnlinked ? 0 : inode.links;
}
