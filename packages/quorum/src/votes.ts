/** What the quorum of a set of members is reckoned from. */
export interface VoteCount {
  /** Votes of all members, and of the quorum device while it is up. */
  readonly total: number;
  /** The highest expected votes of any member. */
  readonly expected: number;
  readonly members: number;
}

/**
 * The number of votes a cluster needs: more than half of what is expected, and more than half of what is there.
 *
 * It never falls below `quorum`, the value so far, unless `isDecreaseAllowed`. In two-node mode one vote is enough
 * while there are no more than two members.
 *
 * Source: cman/daemon/commands.c, `calculate_quorum`, which has it from the OpenVMS Cluster Systems manual.
 */
export function calculateQuorum(
  count: VoteCount,
  quorum: number,
  isDecreaseAllowed: boolean,
  isTwoNode: boolean,
): number {
  if (isTwoNode && count.members <= 2) return 1;
  const q1 = Math.floor((count.expected + 2) / 2);
  const q2 = Math.floor((count.total + 2) / 2);
  const newQuorum = Math.max(q1, q2);
  return isDecreaseAllowed ? newQuorum : Math.max(quorum, newQuorum);
}

/** Whether an administrator may bring about that quorum: it is neither below half of the votes nor above all of them. */
export function isAcceptableQuorum(quorum: number, total: number): boolean {
  return quorum >= Math.floor(total / 2) && quorum <= total;
}
