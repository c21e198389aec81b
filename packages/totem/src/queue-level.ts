/** How full the queue of packets to be ordered is, as corosync tells those who feed it. */
export type QueueLevel = 'low' | 'good' | 'high' | 'critical';

/**
 * The level for a queue that is so full, in percent. Between the ranges it stays what it was, so that it does not flicker.
 *
 * Source: corosync exec/totempg.c, `check_q_level`.
 */
export function queueLevel(usedPercent: number, before: QueueLevel): QueueLevel {
  if (usedPercent >= 75) return 'critical';
  if (usedPercent < 30) return 'low';
  if (usedPercent > 40 && usedPercent < 50) return 'good';
  if (usedPercent > 60 && usedPercent < 70) return 'high';
  return before;
}
