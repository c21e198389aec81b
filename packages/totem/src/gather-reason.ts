/** Why GATHER was entered; the number in corosync's "entering GATHER state from n" (`enum gather_state_from`). */
export const GatherReason = {
  consensusTimeout: 0,
  tokenLostOperational: 2,
  consensusExpired: 3,
  tokenLostCommit: 4,
  tokenLostRecovery: 5,
  failedToReceive: 6,
  foreignMessageOperational: 7,
  foreignMessageGather: 8,
  mergeOperational: 9,
  mergeGather: 10,
  mergeDuringJoin: 11,
  joinOperational: 12,
  joinCommit: 13,
  joinRecovery: 14,
  interfaceChange: 15,
} as const;

export type GatherReason = (typeof GatherReason)[keyof typeof GatherReason];

/** The words that 3.1 puts behind the number. */
export const GATHER_REASON_TEXT: Readonly<Record<GatherReason, string>> = {
  0: 'consensus timeout',
  2: 'The token was lost in the OPERATIONAL state.',
  3: 'The consensus timeout expired.',
  4: 'The token was lost in the COMMIT state.',
  5: 'The token was lost in the RECOVERY state.',
  6: 'failed to receive',
  7: 'foreign message in operational state',
  8: 'foreign message in gather state',
  9: 'merge during operational state',
  10: 'merge during gather state',
  11: 'merge during join',
  12: 'join during operational state',
  13: 'join during commit state',
  14: 'join during recovery',
  15: 'interface change',
};
