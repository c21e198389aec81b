import { type Check, defineInvariant, type Invariant } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { isIn, resourceKey } from './keys.js';
import { STANDING_KINDS, Standings } from './standings.js';

// Who masters a resource, and who knows.

export const master: Invariant = defineInvariant<DlmFact>({
  id: 'S19',
  name: 'dlm-master',
  statement: 'A resource has one master at a time, and the record of its directory node names that one.',
  kinds: [...STANDING_KINDS, 'dlm.master', 'dlm.master-released', 'dlm.directory', 'dlm.directory-removed'],
  start(): Check<DlmFact> {
    const masters = new Map<string, number>();
    const records = new Map<string, { dir: number; master: number }>();
    const standings = new Standings((lockspace, node) => {
      for (const [key, known] of masters) if (known === node && isIn(key, lockspace)) masters.delete(key);
      for (const [key, record] of records) {
        if (isIn(key, lockspace) && (record.dir === node || record.master === node)) records.delete(key);
      }
    });
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return;
        if (fact.kind === 'dlm.started') {
          // The directory is spread anew, and each node asks for its part.
          for (const [key, { dir }] of records) if (dir === fact.node && isIn(key, fact.lockspace)) records.delete(key);
        }
        if (!('resource' in fact)) return;
        const key = resourceKey(fact.lockspace, fact.resource);
        const name = `${fact.lockspace}/${fact.resource}`;
        const known = masters.get(key);
        const record = records.get(key);
        switch (fact.kind) {
          case 'dlm.master':
            if (known !== undefined && known !== fact.node) {
              verdict.violate(`${name}: nodes ${known} and ${fact.node} are both master`, [known, fact.node]);
            }
            if (record !== undefined && record.master !== fact.node) {
              verdict.violate(
                `${name}: node ${fact.node} is master, but its directory node ${record.dir} says ${record.master}`,
                [fact.node, record.dir],
              );
            }
            masters.set(key, fact.node);
            break;
          case 'dlm.master-released':
            if (known === fact.node) masters.delete(key);
            break;
          case 'dlm.directory':
            if (known !== undefined && known !== fact.master) {
              verdict.violate(`${name}: directory node ${fact.node} says ${fact.master}, but node ${known} is master`, [
                fact.node,
                known,
              ]);
            }
            records.set(key, { dir: fact.node, master: fact.master });
            break;
          case 'dlm.directory-removed':
            if (record?.dir === fact.node) records.delete(key);
            break;
        }
      },
    };
  },
});
