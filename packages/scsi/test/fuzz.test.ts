import { Checker, SeededWorld, type Stamped } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { CommandSet } from '../src/commands/command-set.js';
import {
  DISK_DURABLE,
  IMMEDIATE_SERVICE,
  invariants,
  type LogicalUnitConfig,
  type ScsiFact,
  SparseStore,
  Status,
  senseOf,
} from '../src/index.js';
import { unitSettings } from '../src/unit-config.js';
import { Mutator } from './mutation.js';
import { Rig, stamp } from './rig.js';

/** Commands for each kind of unit; a longer campaign is `QUORATE_FUZZ=100000`. */
const COMMANDS = Number(process.env.QUORATE_FUZZ ?? (isThorough ? 20_000 : 4000));
const BLOCKS = 300;
/** S13 is for those who fence and keep the reservation; who releases it lets a victim write again. */
const RULES = invariants.filter((invariant) => invariant.id !== 'S13');
const ENDINGS: readonly number[] = [Status.good, Status.checkCondition, Status.reservationConflict];

it.each([
  ['thin', 512, { isThin: true }],
  ['thick, 4096 bytes', 4096, {}],
  ['removable, with sense data by descriptors', 512, { isRemovable: true, hasDescriptorSense: true, isThin: true }],
  ['read-only', 512, { isWriteProtected: true }],
  ['with latency', 512, { service: undefined, isThin: true }],
] as const)('whatever comes, a unit answers and its rules hold: %s', (_what, blockLength, options) => {
  const checker = new Checker([...RULES, DISK_DURABLE]);
  const statuses = new Map<number, number>();
  let seq = 0;
  const store = new SparseStore({ blocks: BLOCKS, blockLength });
  const { service = IMMEDIATE_SERVICE, ...others } = {
    service: IMMEDIATE_SERVICE,
    ...options,
  } as Partial<LogicalUnitConfig>;
  const hasLatency = 'service' in options;
  const unit = { store, sanitizeTime: 0, tellsContent: true, ...others, ...(hasLatency ? {} : { service }) };
  const rig = new Rig({
    units: [unit],
    world: new SeededWorld({ hi: 0, lo: 3 }),
    observe: (fact: ScsiFact) => {
      seq += 1;
      checker.observe(stamp(fact, seq) as Stamped);
    },
  }).login(1, 2, 3);
  const commands = new CommandSet(unitSettings({ lun: 0, serial: 'X', ...unit }));
  const mutator = new Mutator(11, BLOCKS, blockLength);
  for (let i = 0; i < COMMANDS; i++) {
    const { nexus, cdb, data } = mutator.next();
    rig.ended.length = 0;
    rig.facts.length = 0;
    const ended = rig.run(nexus, cdb, data);
    const text = `${i}: ${Array.from(cdb, (byte) => byte.toString(16)).join(' ')}`;
    if (rig.ended.length !== 1 || !ENDINGS.includes(ended.status))
      expect([rig.ended.length, ended.status], text).toBe('');
    statuses.set(ended.status, (statuses.get(ended.status) ?? 0) + 1);
    const hasSense = senseOf(ended.sense) !== undefined;
    if (hasSense !== (ended.status === Status.checkCondition)) expect(ended, text).toBe('');
    if (ended.data.length === 0) continue;
    const padded = new Uint8Array(16);
    padded.set(cdb);
    const transfer = commands.of(padded)!.transfer;
    if (transfer.direction !== 'in' || ended.data.length > transfer.bytes(padded, blockLength)) {
      expect(ended.data.length, text).toBe(0);
    }
  }
  expect(checker.violations).toEqual([]);
  // the mutants are neither all good nor all bad
  for (const status of ENDINGS) expect(statuses.get(status)).toBeGreaterThan(COMMANDS / 200);
});
