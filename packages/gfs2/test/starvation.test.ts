import { MILLISECOND, type Nanos } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';

const NODES = [1, 2, 3, 4, 5];
const empty = formattedDisk(96, { journals: 5, lockTable: 'my-cluster:storage' });

/** A cluster in which nodes 1 to 4 look a path up every 0.3 ms, and node 5 has just begun to make a directory beside it. */
class BusyRoot {
  readonly #cluster = new Cluster(empty.fork(), { seed: 1 });
  #isBusy = true;
  isMade = false;

  /** `hasLooked`: node 5 has had the root's glock before, and given it up. */
  constructor(hasLooked: boolean) {
    const cluster = this.#cluster;
    for (const id of NODES) cluster.boot(id);
    cluster.passUntil(() => NODES.every((id) => cluster.isMounted(id)), 'the mounts');
    if (hasLooked) cluster.run(5, { kind: 'readdir', path: '/' });
    for (const id of NODES.slice(0, 4)) this.#lookUp(id);
    // All have to come back for the root's glock after this, and hold it for a while.
    cluster.run(1, { kind: 'mkdir', path: '/first' });
    cluster.start(5, { kind: 'mkdir', path: '/second' }, () => {
      this.isMade = true;
    });
  }

  pass(span: Nanos): void {
    this.#cluster.pass(span);
  }

  calmDown(): void {
    this.#isBusy = false;
  }

  #lookUp(id: number): void {
    if (!this.#isBusy) return;
    this.#cluster.start(id, { kind: 'stat', path: '/absent' }, () => {
      this.#cluster.after(300_000, () => this.#lookUp(id));
    });
  }
}

// Linux fs/dlm/lock.c, `_can_be_granted`: a conversion with QUECVT looks at the convert queue alone, and a new request at both.
it('a node new to a glock does not get EX as long as others come back to it, as conversions go before new requests', () => {
  const root = new BusyRoot(false);
  root.pass(1000 * MILLISECOND);
  expect(root.isMade).toBe(false);
  root.calmDown();
  root.pass(250 * MILLISECOND);
  expect(root.isMade).toBe(true);
});

it('a node that has had the glock converts as they do, and gets EX when those who hold it have had their minimum hold time', () => {
  const root = new BusyRoot(true);
  root.pass(300 * MILLISECOND);
  expect(root.isMade).toBe(true);
});
