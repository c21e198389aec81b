import { type Check, defineInvariant, type Invariant, type Nanos, type Stamped, type Verdict } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { jhash } from '../hash.js';
import { CALM_KINDS, Calm, type Calming, LONGEST } from './calm.js';
import { type FactOf, isIn, resourceKey } from './keys.js';
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

/** Who masters what, and whom the directory takes for its master. */
interface Mastered {
  readonly lockspace: string;
  readonly resource: string;
  readonly node: number;
}

export const directoryComplete: Invariant = defineInvariant<Calming>({
  id: 'dlm.F7',
  name: 'dlm-directory-complete',
  statement: 'When a recovery is over everywhere each resource with a master has a record on its directory node.',
  kinds: [...CALM_KINDS, 'dlm.master', 'dlm.master-released', 'dlm.directory', 'dlm.directory-removed'],
  start(): Check<Calming> {
    const masters = new Map<string, Mastered>();
    /** By resource and node: directory nodes that have a record. */
    const records = new Map<string, Set<number>>();
    const starts = new Map<string, FactOf<'dlm.started'>>();
    /** Lockspaces that have recovered, or recover. */
    const changed = new Set<string>();
    const calm = new Calm((lockspace, node) => {
      for (const [key, { node: known }] of masters) if (known === node && isIn(key, lockspace)) masters.delete(key);
      for (const [key, nodes] of records) if (isIn(key, lockspace)) nodes.delete(node);
    });
    return {
      observe(fact) {
        if (!calm.accepts(fact)) return;
        if (fact.kind === 'dlm.started') {
          starts.set(fact.lockspace, fact);
          changed.add(fact.lockspace);
          for (const [key, nodes] of records) if (isIn(key, fact.lockspace)) nodes.delete(fact.node);
        }
        if (!('resource' in fact)) return;
        const { lockspace, resource, node } = fact;
        const key = resourceKey(lockspace, resource);
        if (fact.kind === 'dlm.master') masters.set(key, { lockspace, resource, node });
        else if (fact.kind === 'dlm.master-released' && masters.get(key)?.node === node) masters.delete(key);
        else if (fact.kind === 'dlm.directory') records.set(key, (records.get(key) ?? new Set()).add(node));
        else if (fact.kind === 'dlm.directory-removed') records.get(key)?.delete(node);
        if (records.get(key)?.size === 0) records.delete(key);
      },
      tick(_at, verdict) {
        for (const lockspace of changed) {
          const { members, nodeArray } = starts.get(lockspace)!;
          if (!members.every((node) => calm.isRunning(lockspace, node))) continue;
          changed.delete(lockspace);
          if (nodeArray.length === 0) continue;
          for (const [key, { resource, node }] of masters) {
            if (!isIn(key, lockspace)) continue;
            const dir = nodeArray[(jhash(resource) >>> 16) % nodeArray.length]!;
            if (dir === node || records.get(key)?.has(dir) === true) continue;
            verdict.violate(`${lockspace}/${resource}: node ${node} is master, and node ${dir} has no record of that`, [
              node,
              dir,
            ]);
          }
        }
      },
    };
  },
});

/** What a node has to forget. */
interface Tossed {
  readonly lockspace: string;
  readonly resource: string;
  readonly node: number;
  readonly until: Nanos;
}

/** It is the master's or the directory's, by resource and node. */
class Hygiene implements Check<Calming> {
  readonly #tossed = new Map<string, Tossed>();
  /** Directory records of which the master has given the resource up; how long resources are kept is in what it said. */
  readonly #records = new Map<string, Tossed>();
  readonly #directory = new Map<string, FactOf<'dlm.directory'>>();
  #keptFor: Nanos = 0;
  readonly #calm = new Calm(
    (lockspace, node) => this.#forget(lockspace, node),
    (node) => this.#forget(undefined, node),
  );

  observe(fact: Stamped<Calming>): void {
    if (fact.kind === 'node.state' && fact.state !== 'up') this.#forget(undefined, fact.node);
    if (!this.#calm.accepts(fact)) return;
    if (fact.kind === 'dlm.started' || fact.kind === 'dlm.stopped') return this.#forget(fact.lockspace, fact.node);
    if (!('resource' in fact)) return;
    const { lockspace, resource, node, at } = fact;
    const key = placeKey(fact);
    switch (fact.kind) {
      case 'dlm.tossed':
        this.#keptFor = fact.until - fact.now;
        this.#tossed.delete(key);
        this.#tossed.set(key, { lockspace, resource, node, until: at + this.#keptFor });
        return;
      case 'dlm.directory':
        this.#directory.set(resourceKey(lockspace, resource), fact);
        this.#records.delete(resourceKey(lockspace, resource));
        return;
      case 'dlm.directory-removed':
        this.#directory.delete(resourceKey(lockspace, resource));
        this.#records.delete(resourceKey(lockspace, resource));
        return;
      case 'dlm.master':
        this.#records.delete(resourceKey(lockspace, resource));
        return;
      case 'dlm.master-released':
        this.#onReleased(fact);
        return;
      default:
        this.#tossed.delete(key);
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const list of [this.#tossed, this.#records]) {
      for (const [key, { lockspace, resource, node, until }] of list) {
        if (at < until + LONGEST) break;
        if (!this.#calm.hasWaited(at, until, lockspace, node)) continue;
        list.delete(key);
        const what = list === this.#tossed ? 'resource' : 'directory record';
        verdict.violate(`${lockspace}/${resource}: node ${node} keeps a ${what} that nobody uses`, [node]);
      }
    }
  }

  #onReleased({ lockspace, resource, node, at }: FactOf<'dlm.master-released'>): void {
    const record = this.#directory.get(resourceKey(lockspace, resource));
    // In recovery the directory is made anew; what was given up meanwhile may stay recorded until somebody asks.
    if (record?.master !== node || this.#calm.standings.of(lockspace, node)?.isRunning !== true) return;
    const until = at + this.#keptFor;
    this.#records.set(resourceKey(lockspace, resource), { lockspace, resource, node: record.node, until });
  }

  #forget(lockspace: string | undefined, node: number): void {
    for (const list of [this.#tossed, this.#records]) {
      for (const [key, entry] of list) {
        if (entry.node === node && entry.lockspace === (lockspace ?? entry.lockspace)) list.delete(key);
      }
    }
    for (const [key, { node: dir, lockspace: known }] of this.#directory) {
      if (dir === node && known === (lockspace ?? known)) this.#directory.delete(key);
    }
  }
}

function placeKey(fact: Stamped<DlmFact> & { readonly resource: string }): string {
  return resourceKey(fact.lockspace, `${fact.node}/${fact.resource}`);
}

export const tossHygiene: Invariant = defineInvariant<Calming>({
  id: 'dlm.F9',
  name: 'dlm-toss-hygiene',
  statement:
    'A resource without locks is forgotten after the time it is kept and two scans, and so is its directory record.',
  kinds: [
    ...CALM_KINDS,
    'dlm.tossed',
    'dlm.freed',
    'dlm.called',
    'dlm.held',
    'dlm.queued',
    'dlm.master',
    'dlm.master-released',
    'dlm.directory',
    'dlm.directory-removed',
  ],
  start: () => new Hygiene(),
});
