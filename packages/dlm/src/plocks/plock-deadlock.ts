import type { PlockResource } from './plock-resource.js';
import { isSameOwner, type PlockOwner, type PlockWanted } from './plock-table.js';

/**
 * Whether an owner that waited for this would wait for itself: for one who has a lock in its way, and who waits for one who …
 *
 * Only the locks of `resources` are looked at.
 */
export function closesPlockCycle(resources: readonly PlockResource[], r: PlockResource, wanted: PlockWanted): boolean {
  const reached: PlockOwner[] = [];
  const front: PlockOwner[] = [...r.table.conflictsOf(wanted)];
  for (let next = front.pop(); next !== undefined; next = front.pop()) {
    const owner = next;
    if (isSameOwner(owner, wanted)) return true;
    if (reached.some((other) => isSameOwner(other, owner))) continue;
    reached.push(owner);
    for (const { table } of resources) {
      for (const waiter of table.waiters) {
        if (isSameOwner(waiter.wanted, owner)) front.push(...table.conflictsOf(waiter.wanted));
      }
    }
  }
  return false;
}
