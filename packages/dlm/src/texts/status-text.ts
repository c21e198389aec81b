import { type Nanos, SECOND } from '@quorate/kernel';
import type { ControldView } from '../controld-view.js';

/**
 * What `dlm_tool status` of dlm 4 prints. fenced does the fencing here: its process and who acts are 0.
 *
 * Source: dlm libdlmcontrol/main.c, `dlmc_print_status`.
 */
export function statusText(view: ControldView): string {
  const { nodeId, now, isQuorate, ringSeq, cpgRingSeq, victims, nodes } = view;
  const seqOf = (seq: number): number => Math.max(seq, 0);
  const lines = [
    `cluster nodeid ${nodeId} quorate ${+isQuorate} ring seq ${seqOf(ringSeq)} ${seqOf(cpgRingSeq)}`,
    `daemon now ${seconds(now)} fence_pid 0 ${victims === undefined ? 'fence_init' : ''}`,
    ...(victims ?? []).map((victim) => {
      const { failedAt = 0, fencedAt = 0 } = nodes.find(({ nodeid }) => nodeid === victim) ?? {};
      return `fence ${victim} nodedown pid 0 actor 0 fail ${seconds(failedAt)} fence ${seconds(fencedAt)} now ${seconds(now)}`;
    }),
    ...nodes.map(({ nodeid, isMember, addedAt, removedAt, failedAt, fencedAt }) => {
      const times = `add ${seconds(addedAt)} rem ${seconds(removedAt)} fail ${seconds(failedAt)} fence ${seconds(fencedAt)}`;
      return `node ${nodeid} ${isMember ? 'M' : 'X'} ${times} at 0 0`;
    }),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function seconds(at: Nanos): number {
  return Math.floor(at / SECOND);
}
