import type { ResourceNode } from './resource-node.js';

/**
 * Siblings in the waves in which they can be started: whatever is mounted within another's file system, or mounts something
 * that lies in it, comes after it. All others are in the first wave. Each keeps the order of the file.
 */
export function mountOrder(siblings: readonly ResourceNode[]): readonly (readonly ResourceNode[])[] {
  const waves: ResourceNode[][] = [];
  let left = siblings.map((node) => ({ node, ...mountsBelow(node) }));
  while (left.length > 0) {
    const free = left.filter((each, i) => !left.some((other, j) => i !== j && goesBefore(other, each, j < i)));
    // Each lies in another: the file has the last word.
    const wave = free.length > 0 ? free : left.slice(0, 1);
    waves.push(wave.map(({ node }) => node));
    left = left.filter((each) => !wave.includes(each));
  }
  return waves;
}

interface Mounts {
  readonly mountPoints: readonly string[];
  /** Mount points, and the devices if they are files. */
  readonly needed: readonly string[];
}

/** What a node and all below it mount. */
function mountsBelow(node: ResourceNode): Mounts {
  const mountPoints = pathsOf(node, 'mountpoint');
  return { mountPoints, needed: [...mountPoints, ...pathsOf(node, 'device')] };
}

/** Each ends in one slash. */
function pathsOf(root: ResourceNode, attribute: string): readonly string[] {
  return [...root.subtree()].flatMap(({ resource }) => {
    const path = resource.text(attribute) ?? '';
    return path.startsWith('/') ? [`${path}/`.replace(/\/+/g, '/')] : [];
  });
}

/** `isEarlier`: in the file, which counts when each lies in the other. */
function goesBefore(outer: Mounts, inner: Mounts, isEarlier: boolean): boolean {
  return liesIn(inner, outer) && (isEarlier || !liesIn(outer, inner));
}

function liesIn({ needed }: Mounts, { mountPoints }: Mounts): boolean {
  return needed.some((path) => mountPoints.some((mountPoint) => path.startsWith(mountPoint)));
}
