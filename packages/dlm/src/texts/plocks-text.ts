import { MILLISECOND } from '@quorate/kernel';
import type { PlockResourceView, PlockView } from '../plocks/plock-resource.js';

/**
 * What `dlm_tool plocks` prints of a lockspace.
 *
 * Source: dlm dlm_controld/plock.c, `fill_plock_dump_buf`.
 */
export function plocksText(resources: readonly PlockResourceView[]): string {
  return resources.map(resourceText).join('');
}

function resourceText({ number, owner, unusedFor, locks, waiters, pending }: PlockResourceView): string {
  if (locks.length + waiters.length + pending.length === 0) {
    return `${number} rown ${owner} unused_ms ${Math.floor(unusedFor / MILLISECOND)}\n`;
  }
  const lineOf = (lock: PlockView, state: string): string => {
    const range = `${number} ${lock.isExclusive ? 'WR' : 'RD'} ${lock.start}-${lock.end}`;
    const who = `nodeid ${lock.nodeid} pid ${lock.pid} owner ${BigInt(lock.owner).toString(16)}`;
    return `${range} ${who} rown ${owner}${state}\n`;
  };
  return [
    ...locks.map((lock) => lineOf(lock, '')),
    ...waiters.map((lock) => lineOf(lock, ' WAITING')),
    ...pending.map((lock) => lineOf(lock, ' PENDING')),
  ].join('');
}
