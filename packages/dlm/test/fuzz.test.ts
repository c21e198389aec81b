import { invariants, isCompatible, LockFlag, type LockView, lockspaceGroup, Mode } from '@quorate/dlm';
import { Checker, MICROSECOND, MILLISECOND, Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { Cluster, changeMembers, createLockspace } from '../src/conformance/cluster.js';
import { Daemons } from './daemons.js';
import { mutated } from './mutation.js';

/** Messages of each kind; a longer campaign is `FUZZ=1000000`. */
const MESSAGES = Number(process.env.FUZZ ?? (isThorough ? 40_000 : 2000));
/** A new cluster after so many: most of what is sent then would come to locks that have been forgotten. */
const PER_CLUSTER = 250;
const LOCKSPACE = 'fuzz';
const VICTIM = 1;
const NODES = [1, 2, 3];

/** What a node keeps whatever the others say; its lists are looked at themselves, since locks of others may come twice. */
const OWN = ['dlm.S8', 'dlm.S10'];

interface Sent {
  readonly from: number;
  readonly bytes: Uint8Array;
}

const OPTS = 3;
const ENVELOPE = 24;

/** A cluster at work, in which one node hears messages that nearly are those of the others. */
class Fuzz {
  readonly checker: Checker;
  readonly problems: string[] = [];
  readonly cluster: Cluster;
  readonly #prng: Prng;
  readonly #sent: Sent[] = [];
  #handle = 0;
  #messages = 0;

  constructor(seed: number, protocol: '3.1' | '3.2') {
    this.#prng = Prng.derive({ hi: 0, lo: seed }, 'fuzz');
    this.checker = new Checker(invariants.filter(({ id }) => OWN.includes(id)));
    this.cluster = new Cluster({
      nodes: NODES,
      config: { protocol, tossTime: 5 * MILLISECOND, scanInterval: 2 * MILLISECOND },
      onFact: (fact) => {
        if (fact.node === VICTIM) this.checker.observe(fact);
      },
    });
    this.cluster.onPacket = (from, to, bytes) => {
      if (to !== VICTIM) return;
      this.#sent.push({ from, bytes: bytes.slice() });
      if (this.#sent.length > 60) this.#sent.shift();
    };
    createLockspace(this.cluster, LOCKSPACE, 8);
  }

  /** `isInRecovery`: the members change now and then. */
  run(messages: number, isInRecovery: boolean): void {
    while (this.#messages < messages) {
      if (isInRecovery && this.#prng.below(12) === 0) this.#restart();
      for (let calls = this.#prng.below(4); calls > 0; calls--) this.#call();
      this.#send();
      // A new master believes what it is told of locks.
      if (!isInRecovery) this.#judge();
      this.cluster.runTo(this.cluster.now + this.#prng.below(200) * MICROSECOND);
    }
    this.checker.end(this.cluster.now);
  }

  /** What is left when the others are gone. */
  endAlone(): { locks: number; saved: number; unacknowledged: number; own: number } {
    for (const node of NODES) if (node !== VICTIM) this.cluster.kill(node);
    changeMembers(this.cluster, LOCKSPACE, [VICTIM], [2, 3]);
    this.cluster.runTo(this.cluster.now + 100 * MILLISECOND);
    const { lockspaces, peers } = this.cluster.nodes.get(VICTIM)!.dlm.inspect();
    const { resources, requestqueue } = lockspaces[0]!;
    const locks = resources.flatMap((r) => [...r.granted, ...r.converting, ...r.waiting, ...r.lookup]);
    return {
      locks: locks.filter(({ isMasterCopy }) => isMasterCopy).length,
      own: resources.filter(({ isActive }) => isActive).length,
      saved: requestqueue,
      unacknowledged: peers.peers.reduce((sum, peer) => sum + peer.unacknowledged, 0),
    };
  }

  /** What it has granted goes together, and nothing waits for nothing. */
  #judge(): void {
    for (const r of this.cluster.nodes.get(VICTIM)!.dlm.inspect().lockspaces[0]!.resources) {
      if (r.master !== VICTIM) continue;
      const holders = [...r.granted, ...r.converting];
      const isFree = (lock: LockView, mode: number): boolean =>
        holders.every((other) => other === lock || isCompatible(Mode[other.grmode], mode));
      const torn = holders.find((lock) => !isFree(lock, Mode[lock.grmode]));
      if (torn !== undefined) this.problems.push(`${r.name}: ${torn.grmode} beside what excludes it`);
      const head = r.converting[0] ?? r.waiting[0];
      if (head === undefined || (head.exflags & LockFlag.HEADQUE) !== 0 || !isFree(head, Mode[head.rqmode])) continue;
      this.problems.push(`${r.name}: ${head.rqmode} waits, and nothing is in its way`);
    }
  }

  #call(): void {
    const node = 1 + this.#prng.below(3);
    this.#handle += 1;
    const about = { lockspace: LOCKSPACE, name: `r${this.#prng.below(4)}`, mode: this.#prng.below(6) };
    const old = 1 + this.#prng.below(this.#handle);
    switch (this.#prng.below(3)) {
      case 0:
        this.cluster.input(node, { kind: 'lock', ...about, handle: this.#handle, flags: LockFlag.VALBLK });
        return;
      case 1:
        this.cluster.input(node, { kind: 'lock', ...about, handle: old, flags: LockFlag.CONVERT | LockFlag.VALBLK });
        return;
      case 2:
        this.cluster.input(node, { kind: 'unlock', lockspace: LOCKSPACE, handle: old, flags: 0 });
    }
  }

  #restart(): void {
    const members = this.#prng.below(2) === 0 ? NODES : [VICTIM, 2];
    changeMembers(this.cluster, LOCKSPACE, members, []);
  }

  #send(): void {
    for (let i = 0; i < 5 && this.#sent.length > 0; i++) {
      const { from, bytes } = this.#sent[this.#prng.below(this.#sent.length)]!;
      const isWrapped = bytes[14] === OPTS;
      const message = mutated(bytes, this.#prng, isWrapped ? ENVELOPE : 0);
      // Most have the number that is due: the others are dropped before anybody looks into them.
      if (isWrapped && message.length >= 8 && this.#prng.below(8) > 0) this.#renumber(from, message);
      this.cluster.input(VICTIM, { kind: 'packet', from, bytes: message });
      this.#messages += 1;
    }
  }

  #renumber(from: number, message: Uint8Array): void {
    const { peers } = this.cluster.nodes.get(VICTIM)!.dlm.inspect().peers;
    const due = peers.find(({ nodeid }) => nodeid === from)?.seqNext ?? 0;
    new DataView(message.buffer, message.byteOffset).setUint32(4, due, true);
  }
}

describe('whatever others send, a node goes on, and keeps its own rules', () => {
  it.each([
    ['messages of locking, 3.1', '3.1', false],
    ['messages of locking, in the envelope of 3.2', '3.2', false],
    ['messages of recovery too, 3.1', '3.1', true],
    ['messages of recovery too, 3.2', '3.2', true],
  ] as const)('%s', (_, protocol, isInRecovery) => {
    for (let seed = 1; seed <= MESSAGES / 2 / PER_CLUSTER; seed++) {
      const fuzz = new Fuzz(seed, protocol);
      fuzz.run(PER_CLUSTER, isInRecovery);
      expect([...fuzz.checker.violations, ...fuzz.problems], `seed ${seed}`).toEqual([]);
      const { own, ...left } = fuzz.endAlone();
      expect(own).toBeLessThanOrEqual(4);
      // In recovery a node takes locks in of which it may never be the master.
      if (isInRecovery) expect(left.saved).toBe(0);
      else expect(left, `seed ${seed}`).toEqual({ locks: 0, saved: 0, unacknowledged: 0 });
    }
  });

  it('messages of dlm_controld', () => {
    const prng = Prng.derive({ hi: 0, lo: 1 }, 'fuzz');
    for (let sent = 0; sent < MESSAGES / 2; ) {
      const checker = new Checker(invariants.filter(({ id }) => id === 'dlm.S5' || id === 'dlm.S6'));
      const daemons = new Daemons(NODES, { onFact: (fact) => checker.observe(fact) });
      for (const node of NODES) daemons.online(node, LOCKSPACE);
      for (let i = 0; i < PER_CLUSTER; i++, sent++) {
        const { group, from, payload } = daemons.messages[prng.below(daemons.messages.length)]!;
        const other = prng.below(20) === 0 ? lockspaceGroup('other') : group;
        daemons.input(VICTIM, { kind: 'message', group: other, from, payload: mutated(payload, prng, 0) });
        if (prng.below(60) === 0 && daemons.daemons.size > 2) daemons.crash(3);
        daemons.take();
      }
      checker.end(0);
      expect(checker.violations).toEqual([]);
    }
  });
});
