/** A set of nodes as it stands on disk: 8 bytes, node `n` is bit `(n - 1) & 7` of byte `(n - 1) >> 3`. */
export type NodeMask = Uint8Array;

const MASK_BYTES = 8;

export function emptyMask(): NodeMask {
  return new Uint8Array(MASK_BYTES);
}

/** False for a node id outside 1..64. */
export function isInMask(mask: NodeMask, nodeId: number): boolean {
  if (nodeId < 1 || nodeId > MASK_BYTES * 8) return false;
  return (mask[(nodeId - 1) >> 3]! & (1 << ((nodeId - 1) & 7))) !== 0;
}

/** Adds or removes one node; ids outside 1..64 have no bit and change nothing. */
export function setInMask(mask: NodeMask, nodeId: number, isIn: boolean): void {
  if (nodeId < 1 || nodeId > MASK_BYTES * 8) return;
  const byte = (nodeId - 1) >> 3;
  const bit = 1 << ((nodeId - 1) & 7);
  mask[byte] = isIn ? mask[byte]! | bit : mask[byte]! & ~bit;
}

/** Node ids in the mask, ascending. */
export function nodesOf(mask: NodeMask): number[] {
  const nodes: number[] = [];
  for (let nodeId = 1; nodeId <= mask.length * 8; nodeId++) if (isInMask(mask, nodeId)) nodes.push(nodeId);
  return nodes;
}
