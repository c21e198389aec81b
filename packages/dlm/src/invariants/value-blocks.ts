import { type Check, defineInvariant, type Invariant, type Verdict } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { Mode } from '../mode.js';
import { HELD_KINDS, HeldLocks } from './held-locks.js';
import { type FactOf, isIn, resourceKey } from './keys.js';
import { STANDING_KINDS, Standings } from './standings.js';

/** What may be read from a value block. */
interface Value {
  /** Digest of the last write; undefined if it was lost. */
  readonly digest: number | undefined;
  readonly lvbseq: number;
  readonly isInvalid: boolean;
}

const LOST: Value = { digest: undefined, lvbseq: 0, isInvalid: true };

export const lvb: Invariant = defineInvariant<DlmFact>({
  id: 'S20',
  name: 'dlm-lvb',
  statement: 'A value block that is read is the one written last by a PW or EX holder, or it is reported as not valid.',
  kinds: [
    ...STANDING_KINDS,
    ...HELD_KINDS,
    'dlm.master',
    'dlm.lvb-written',
    'dlm.lvb-invalid',
    'dlm.lvb-dropped',
    'dlm.lvb-read',
  ],
  start(): Check<DlmFact> {
    const values = new Map<string, Value>();
    const masters = new Map<string, number>();
    const locks = new HeldLocks();
    const standings = new Standings((lockspace, node) => {
      locks.deleteNode(lockspace, node, (key, held, left) => {
        if (!held.hasValueBlock || Mode[held.mode] < Mode.PW) return;
        // A new master knows that there was a value if another user of it is left; the old one, if there was one.
        const isKnown = masters.get(key) === node ? left.some((other) => other.hasValueBlock) : values.has(key);
        if (isKnown) values.set(key, LOST);
      });
      for (const [key, known] of masters) if (known === node && isIn(key, lockspace)) masters.delete(key);
      // With the master goes the value; the new one says what it took over.
      for (const [key, value] of values) {
        if (!isIn(key, lockspace) || masters.has(key)) continue;
        if (!value.isInvalid || !locks.at(key).some((held) => held.hasValueBlock)) values.delete(key);
      }
    });
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return;
        locks.follow(fact);
        if (!('resource' in fact)) return;
        const key = resourceKey(fact.lockspace, fact.resource);
        switch (fact.kind) {
          case 'dlm.master':
            masters.set(key, fact.node);
            break;
          case 'dlm.lvb-written':
            values.set(key, { digest: fact.digest, lvbseq: fact.lvbseq, isInvalid: false });
            break;
          case 'dlm.lvb-invalid': {
            // Without a value there is nothing to report.
            const value = values.get(key);
            if (value !== undefined) values.set(key, { ...value, isInvalid: true });
            break;
          }
          case 'dlm.lvb-dropped':
            values.delete(key);
            break;
          case 'dlm.lvb-read':
            if (!locks.isLeaving(fact)) checkRead(fact, values.get(key), verdict);
            break;
        }
      },
    };
  },
});

function checkRead(fact: FactOf<'dlm.lvb-read'>, value: Value | undefined, verdict: Verdict): void {
  if (value === undefined || !fact.isValid) return;
  const where = `${fact.lockspace}/${fact.resource}`;
  // Beside NL and CR a PW or EX holder may write, or be lost, while the reply is under way.
  const isExact = Mode[fact.mode] >= Mode.CW;
  if (!isExact && fact.lvbseq !== value.lvbseq) return;
  if (value.isInvalid && isExact) {
    return verdict.violate(`${where}: node ${fact.node} read a value as valid that was lost with its writer`, [
      fact.node,
    ]);
  }
  if (value.digest === undefined || value.digest === fact.digest) return;
  const [found, expected] = [fact.digest, value.digest].map((digest) => digest.toString(16));
  verdict.violate(`${where}: node ${fact.node} read value ${found}, last written was ${expected}`, [fact.node]);
}

/** What a master wrote last. */
interface Written {
  readonly node: number;
  lvbseq: number;
  isInvalid: boolean;
}

export const lvbseqGrows: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.S10',
  name: 'dlm-lvbseq',
  statement: 'On a master the number of writes of a value block never goes back, unless the value block is not valid.',
  kinds: [...STANDING_KINDS, 'dlm.master', 'dlm.master-released', 'dlm.lvb-written', 'dlm.lvb-invalid'],
  start(): Check<DlmFact> {
    const written = new Map<string, Written>();
    const standings = new Standings((lockspace, node) => {
      for (const [key, value] of written) if (value.node === node && isIn(key, lockspace)) written.delete(key);
    });
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact) || !('resource' in fact)) return;
        const key = resourceKey(fact.lockspace, fact.resource);
        const value = written.get(key);
        switch (fact.kind) {
          case 'dlm.master':
          case 'dlm.master-released':
            written.delete(key);
            return;
          case 'dlm.lvb-invalid':
            if (value?.node === fact.node) value.isInvalid = true;
            return;
          case 'dlm.lvb-written': {
            const { lvbseq, node } = fact;
            const before = value?.node === node && !value.isInvalid ? value.lvbseq : lvbseq;
            written.set(key, { node, lvbseq, isInvalid: false });
            // It may pass 2^32.
            if (((lvbseq - before) | 0) >= 0) return;
            verdict.violate(
              `${fact.lockspace}/${fact.resource}: node ${node} counts ${lvbseq} writes after ${before}`,
              [node],
            );
          }
        }
      },
    };
  },
});
