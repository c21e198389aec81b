import type { Operation } from '@quorate/gfs2';
import { MICROSECOND, MILLISECOND, type Nanos, Prng } from '@quorate/kernel';
import type { Figure } from '../figures.js';
import { BusyCluster, type StepCosts } from './busy-cluster.js';
import { BLOCK } from './forgetful-disk.js';

const NODES = 5;
const MOST_BLOCKS = 8;

/** What programs do on a node: each makes files of 1 to 8 blocks, one after the other. */
interface Load {
  readonly programs: number;
  /** Each file is synced before it is closed, as by fs_mark. */
  readonly isSynced: boolean;
}

export const SYNCED: Load = { programs: 1, isSynced: true };
const FAST: Load = { programs: 32, isSynced: false };

interface Work {
  /** Blocks given out in a second of virtual time, all nodes together: dinodes and data. */
  readonly rate: number;
  readonly transfersPerThousand: number;
  /** Of what the disk can pass. */
  readonly diskShare: number;
  readonly costs: StepCosts;
}

/** Five nodes that make files in a directory each, beside one of them that does so while the others are idle. */
export function fiveNodesFigures(span: Nanos = 1000 * MILLISECOND): Figure[] {
  const guess = { gfs2: 20 * MICROSECOND, dlm: 10 * MICROSECOND };
  work([1], span, guess, FAST);
  const { costs } = work([1], span, guess, FAST);
  return [
    { name: 'a step of GFS2, measured', value: costs.gfs2 / MICROSECOND, unit: 'us of processor' },
    { name: 'a step of the DLM, measured', value: costs.dlm / MICROSECOND, unit: 'us of processor' },
    ...besideOne('a program on each, files synced', span, costs, SYNCED, { atLeast: 4 }),
    ...besideOne('32 on each, nothing synced', span, costs, FAST),
  ];
}

function besideOne(name: string, span: Nanos, costs: StepCosts, load: Load, bar?: { atLeast: number }): Figure[] {
  const one = work([1], span, costs, load);
  const five = work([1, 2, 3, 4, 5], span, costs, load);
  const transfers = five.transfersPerThousand;
  return [
    { name: `${name}: one node`, value: one.rate / 1e3, unit: 'k blocks/virtual s' },
    { name: `${name}: five`, value: five.rate / 1e3, unit: 'k blocks/virtual s' },
    { name: 'five beside one', value: five.rate / one.rate, unit: 'times', ...(bar && { bar }) },
    { name: 'share of the disk, which has 200 MB/s', value: five.diskShare, unit: '' },
    { name: 'rgrp locks that changed nodes', value: transfers, unit: 'per 1000 blocks', bar: { atMost: 1 } },
  ];
}

/** After a while of warming up, what nodes that are busy get done in a span of virtual time. */
export function work(
  busy: readonly number[],
  span: Nanos,
  costs: StepCosts,
  load: Load,
  warmUp: Nanos = 1000 * MILLISECOND,
): Work {
  const cluster = new BusyCluster(NODES, 4096, costs);
  const prng = Prng.derive({ hi: 0, lo: 3 }, 'five nodes');
  let blocks = 0;
  for (const id of busy) {
    let isMade = false;
    cluster.start(id, { kind: 'mkdir', path: `/n${id}` }, (result) => {
      if (typeof result === 'string') throw new Error(result);
      isMade = true;
    });
    cluster.passUntil(() => isMade);
  }
  // Only then, as who makes a directory at the top waits for those who look theirs up there, and who come in between again.
  for (const id of busy) {
    for (let program = 0; program < load.programs; program++) {
      writeFiles(cluster, id, `/n${id}/${program}-`, load.isSynced, prng, (count) => {
        blocks += count;
      });
    }
  }
  cluster.pass(warmUp);
  const before = { blocks, transfers: cluster.rgrpTransfers, transferTime: cluster.transferTime };
  const { gfs2, dlm } = cluster.spent;
  for (const spent of [gfs2, dlm]) spent.nanos = spent.steps = 0;
  cluster.pass(span);
  const made = blocks - before.blocks;
  return {
    rate: made / (span / 1e9),
    transfersPerThousand: (1000 * (cluster.rgrpTransfers - before.transfers)) / made,
    diskShare: (cluster.transferTime - before.transferTime) / span,
    costs: { gfs2: Math.round(gfs2.nanos / gfs2.steps), dlm: Math.round(dlm.nanos / dlm.steps) },
  };
}

/** Makes one file after the other, for ever. */
function writeFiles(
  cluster: BusyCluster,
  id: number,
  prefix: string,
  isSynced: boolean,
  prng: Prng,
  made: (blocks: number) => void,
): void {
  const bytes = new Uint8Array(MOST_BLOCKS * BLOCK);
  let file = 0;
  const call = (operation: Operation, next: (result: unknown) => void): void => {
    cluster.start(id, operation, (result) => {
      if (typeof result === 'string') throw new Error(`${operation.kind} on node ${id}: ${result}`);
      next(result);
    });
  };
  const next = (): void => {
    file += 1;
    const blocks = 1 + prng.below(MOST_BLOCKS);
    call({ kind: 'open', path: `${prefix}${file}`, flags: { write: true, create: true } }, (opened) => {
      const fd = opened as number;
      const close = (): void =>
        call({ kind: 'close', fd }, () => {
          made(blocks + 1);
          next();
        });
      call({ kind: 'pwrite', fd, offset: 0, bytes: bytes.subarray(0, blocks * BLOCK) }, () =>
        isSynced ? call({ kind: 'fsync', fd }, close) : close(),
      );
    });
  };
  next();
}
