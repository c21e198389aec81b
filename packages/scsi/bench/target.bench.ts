import { type Observe, SeededWorld, TAME_WORLD, type World } from '@quorate/kernel';
import { bench, describe } from 'vitest';
import {
  IMMEDIATE_SERVICE,
  read10,
  type ScsiFact,
  ScsiTarget,
  type ServiceModel,
  SparseStore,
  Status,
  testUnitReady,
  write10,
} from '../src/index.js';

const COMMANDS = 20_000;
const NO_DATA = new Uint8Array(0);

interface Load {
  readonly service?: ServiceModel;
  readonly world: World;
  readonly observe?: Observe<ScsiFact>;
  readonly blocks: number;
  readonly isWrite: boolean;
  readonly depth: number;
}

/** All its pages allocated: what is timed is the target, not the first touch of memory. */
const STORE = new SparseStore({ blocks: 2 * 1024 * 1024 });
for (let lba = 0; lba < 131_072; lba += 8) STORE.write(lba, new Uint8Array(4096).fill(1));

/** Runs commands of five initiators through a target, `depth` in flight, and checks that each ended well. */
function run({ world, service, observe, blocks, isWrite, depth }: Load): void {
  const units = [{ lun: 0, store: STORE, serial: 'BENCH', ...(service === undefined ? undefined : { service }) }];
  const target = new ScsiTarget({
    name: 'iqn.bench',
    logicalUnits: units,
    world,
    ...(observe === undefined ? undefined : { observe }),
  });
  let good = 0;
  const emit = (output: { kind: string; status?: number }): void => {
    if (output.kind === 'response' && output.status === Status.good) good += 1;
  };
  let now = 0;
  const drain = (): void => {
    now = target.deadline();
    target.step(now, { kind: 'wake' }, emit);
  };
  for (let nexus = 1; nexus <= 5; nexus++) {
    target.step(now, { kind: 'login', nexus, port: { name: 'iqn.bench', isid: `00000000000${nexus}` } }, emit);
    target.step(now, { kind: 'command', nexus, lun: 0, tag: 0, cdb: testUnitReady(), data: NO_DATA }, emit);
    while (target.deadline() !== Infinity) drain();
  }
  const cdb = new Uint8Array(10);
  const data = isWrite ? new Uint8Array(blocks * 512).fill(0x5a) : NO_DATA;
  for (let i = 0; i < COMMANDS; i++) {
    const lba = ((i * 7919) % 8192) * 8;
    const bytes = isWrite ? write10(lba, blocks, cdb) : read10(lba, blocks, cdb);
    target.step(now, { kind: 'command', nexus: 1 + (i % 5), lun: 0, tag: i, cdb: bytes, data }, emit);
    if (i >= depth && target.deadline() !== Infinity) drain();
  }
  while (target.deadline() !== Infinity) drain();
  if (good !== COMMANDS) throw new Error(`${good} of ${COMMANDS} commands ended with GOOD`);
}

describe(`${COMMANDS} commands per iteration`, () => {
  const seeded = new SeededWorld({ hi: 0, lo: 7 });
  let facts = 0;
  const observe = (): void => {
    facts += 1;
  };
  bench('immediate: read 8 blocks', () =>
    run({ world: TAME_WORLD, service: IMMEDIATE_SERVICE, blocks: 8, isWrite: false, depth: 1 }),
  );
  bench('immediate: write 8 blocks', () =>
    run({ world: TAME_WORLD, service: IMMEDIATE_SERVICE, blocks: 8, isWrite: true, depth: 1 }),
  );
  bench('immediate: read 1 block', () =>
    run({ world: TAME_WORLD, service: IMMEDIATE_SERVICE, blocks: 1, isWrite: false, depth: 1 }),
  );
  bench('read 1 block, 1 in flight', () => run({ world: TAME_WORLD, blocks: 1, isWrite: false, depth: 1 }));
  bench('write 1 block, 1 in flight', () => run({ world: TAME_WORLD, blocks: 1, isWrite: true, depth: 1 }));
  bench('write 1 block, 24 in flight, random latency', () =>
    run({ world: seeded, blocks: 1, isWrite: true, depth: 24 }),
  );
  bench('read 8 blocks, 24 in flight, random latency', () =>
    run({ world: seeded, blocks: 8, isWrite: false, depth: 24 }),
  );
  bench('write 1 block, 24 in flight, observed', () =>
    run({ world: seeded, observe, blocks: 1, isWrite: true, depth: 24 }),
  );
  bench('calibration: Map of 20 000 numbers, set and get', () => {
    const map = new Map<number, number>();
    for (let i = 0; i < COMMANDS; i++) map.set(i * 7919, i);
    let sum = 0;
    for (let i = 0; i < COMMANDS; i++) sum += map.get(i * 7919)!;
    if (sum !== (COMMANDS * (COMMANDS - 1)) / 2 || facts < 0) throw new Error('wrong sum');
  });
});
