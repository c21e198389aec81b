/** A list of node ids, or one node. */
export type NodeSet = number | readonly number[];

function listOf(nodes: NodeSet): readonly number[] {
  return typeof nodes === 'number' ? [nodes] : nodes;
}

// Sets of nodes are lists without repetition: the order on the left is kept, for it says which node is preferred.
// Source: rgmanager src/clulib/sets.c.

/** All of `left`, then what `right` has beside them. */
export function union(left: NodeSet, right: NodeSet): readonly number[] {
  return [...new Set([...listOf(left), ...listOf(right)])];
}

/** What both have. */
export function intersection(left: NodeSet, right: NodeSet): readonly number[] {
  const others = listOf(right);
  return union(
    listOf(left).filter((node) => others.includes(node)),
    [],
  );
}

/** What `left` has and `right` has not. */
export function subtract(left: NodeSet, right: NodeSet): readonly number[] {
  const others = listOf(right);
  return union(
    listOf(left).filter((node) => !others.includes(node)),
    [],
  );
}

/** What only one of them has. */
export function delta(left: NodeSet, right: NodeSet): readonly number[] {
  return union(subtract(left, right), subtract(right, left));
}
