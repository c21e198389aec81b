import { isCompatible } from '../mode.js';

/** A lock as its master has it. */
export interface GraphLock {
  /** The node whose process owns it, and its id there. */
  readonly home: number;
  readonly lkid: number;
  /** All locks of a transaction are given back together. */
  readonly transaction: string;
  readonly resource: string;
  readonly status: 'waiting' | 'granted' | 'convert';
  readonly grmode: number;
  readonly rqmode: number;
}

interface Transaction {
  readonly locks: GraphLock[];
  readonly waitsFor: Set<Transaction>;
}

/**
 * The locks whose cancel resolves all deadlocks; none without a deadlock.
 *
 * A transaction waits for another one if a lock of it that is not granted asks for a mode that the granted mode of a lock of the
 * other excludes. Who waits for nobody will end, and give way to others; those who are left when nobody can end any more are
 * deadlocked. The first of them for whom somebody waits is the victim. Differs from dlm_controld, which looks for one victim only and
 * reports a failure when that was not enough.
 *
 * Source: cluster.git group/dlm_controld/deadlock.c, `find_deadlock`.
 */
export function deadlockVictims(locks: readonly GraphLock[]): readonly GraphLock[] {
  const transactions = createTransList(locks);
  createWaitforGraph(transactions, locks);
  const victims: GraphLock[] = [];
  for (;;) {
    reduceWaitforGraph(transactions);
    const victim = findTransToCancel(transactions);
    if (victim === undefined) return victims;
    victims.push(...victim.locks.filter(({ status }) => status !== 'granted'));
    victim.waitsFor.clear();
  }
}

/** The original's lists grow at their heads: what was read last comes first. */
function createTransList(locks: readonly GraphLock[]): Map<string, Transaction> {
  const found = new Map<string, Transaction>();
  for (const lock of locks) {
    const transaction = found.get(lock.transaction) ?? { locks: [], waitsFor: new Set() };
    transaction.locks.unshift(lock);
    found.set(lock.transaction, transaction);
  }
  return new Map([...found].reverse());
}

function createWaitforGraph(transactions: ReadonlyMap<string, Transaction>, locks: readonly GraphLock[]): void {
  const holders = new Map<string, GraphLock[]>();
  for (const lock of locks) {
    if (lock.status === 'waiting') continue;
    const others = holders.get(lock.resource);
    if (others === undefined) holders.set(lock.resource, [lock]);
    else others.push(lock);
  }
  for (const waiting of locks) {
    if (waiting.status === 'granted') continue;
    for (const held of holders.get(waiting.resource) ?? []) {
      if (held.transaction === waiting.transaction || isCompatible(held.grmode, waiting.rqmode)) continue;
      transactions.get(waiting.transaction)!.waitsFor.add(transactions.get(held.transaction)!);
    }
  }
}

function reduceWaitforGraph(transactions: Map<string, Transaction>): void {
  let hasRemoved: boolean;
  do {
    hasRemoved = false;
    for (const [name, transaction] of transactions) {
      if (transaction.waitsFor.size > 0) continue;
      transactions.delete(name);
      for (const other of transactions.values()) other.waitsFor.delete(transaction);
      hasRemoved = true;
    }
  } while (hasRemoved);
}

function findTransToCancel(transactions: ReadonlyMap<string, Transaction>): Transaction | undefined {
  const all = [...transactions.values()];
  return all.find((transaction) => all.some(({ waitsFor }) => waitsFor.has(transaction)));
}
