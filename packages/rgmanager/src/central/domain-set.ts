import type { FailoverDomain } from '../state/failover-domain.js';

/**
 * Nodes of a failover domain in the order in which the master tries them: by priority, those of one priority shuffled. Priority 0,
 * which all nodes of an unordered domain have, comes last, though it beats 1 when every node decides for itself.
 *
 * Source: rgmanager src/daemons/fo_domain.c, `node_domain_set`.
 */
export function domainSet(
  { nodes }: FailoverDomain,
  shuffle: (nodes: readonly number[]) => readonly number[],
): readonly number[] {
  const rankOf = (priority: number): number => (priority === 0 ? Infinity : priority);
  const ranks = [...new Set(nodes.map(({ priority }) => rankOf(priority)))].sort((a, b) => a - b);
  return ranks.flatMap((rank) =>
    shuffle(nodes.filter(({ priority }) => rankOf(priority) === rank).map(({ nodeId }) => nodeId)),
  );
}
