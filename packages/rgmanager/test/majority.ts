import type { QuorumRule } from '../src/what-if/index.js';

/** More than half of what is expected, and of what there ever was; one of two nodes may be enough. */
export const majority: QuorumRule = ({ total, expected }, quorum, _isDecreaseAllowed, isTwoNode) =>
  isTwoNode ? 1 : Math.max(quorum, Math.floor(Math.max(total, expected) / 2) + 1);
