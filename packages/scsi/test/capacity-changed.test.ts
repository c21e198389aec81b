import { Checker, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  DISK_DURABLE,
  decodeCapacity10,
  FaultyStore,
  IMMEDIATE_SERVICE,
  persistentReserveOut,
  ReserveOut,
  read10,
  readCapacity10,
  type ScsiFact,
  SparseStore,
  synchronizeCache10,
  testUnitReady,
  write10,
} from '../src/index.js';
import { CAPACITY_DATA_HAS_CHANGED, senseOf } from '../src/sense.js';
import { outcomeText, portOf, Rig, stamp } from './rig.js';

function filled(blocks: number, fill: number): Uint8Array {
  return new Uint8Array(512 * blocks).fill(fill);
}

/** The store of unit 0 has so many blocks from now on, and the target is told. */
function resize(rig: Rig, blocks: number): void {
  Object.assign(rig.store, { blocks });
  rig.step({ kind: 'capacity-changed', lun: 0 });
}

describe('a unit whose store has another size', () => {
  it.each([4096, 1024])('tells every nexus, once, and has %i blocks', (blocks) => {
    const rig = new Rig({ units: [{}, {}] }).login(1, 2);
    resize(rig, blocks);
    rig.step({ kind: 'capacity-changed', lun: 0 });
    for (const nexus of [1, 2]) {
      expect([rig.outcome(nexus, testUnitReady()), rig.outcome(nexus, testUnitReady())]).toEqual(['6/2A/09', '00']);
      expect(rig.outcome(nexus, testUnitReady(), undefined, 1)).toBe('00');
    }
    expect(decodeCapacity10(rig.run(1, readCapacity10()).data)).toMatchObject({ blocks });
    expect([rig.outcome(1, read10(blocks - 1, 1)), rig.outcome(1, read10(blocks, 1))]).toEqual(['00', '5/21/00']);
    const told = rig.facts.filter((fact) => fact.kind === 'scsi.capacity-changed');
    expect(told).toEqual([{ kind: 'scsi.capacity-changed', now: told[0]!.now, lun: 0, blocks }]);
    const events = rig.other.map((output) => output.kind === 'unit-event' && [output.lun, senseOf(output.sense)]);
    expect(events).toEqual([[0, CAPACITY_DATA_HAS_CHANGED]]);
  });

  it('says nothing when the size is the old one', () => {
    const rig = new Rig().login(1);
    resize(rig, 2048);
    expect(rig.outcome(1, testUnitReady())).toBe('00');
  });

  it('does not tell who logs in afterwards', () => {
    const rig = new Rig().login(1);
    rig.step({ kind: 'logout', nexus: 1 });
    resize(rig, 1024);
    rig.step({ kind: 'login', nexus: 1, port: portOf(1) });
    expect([rig.outcome(1, testUnitReady()), rig.outcome(1, testUnitReady())]).toEqual(['6/29/07', '00']);
  });

  it('an unknown LUN is the mistake of the driver', () => {
    const rig = new Rig({ units: [{}, {}] });
    expect(() => rig.step({ kind: 'capacity-changed', lun: 7 })).toThrow('LUN 7: one of 0, 1');
  });

  it('refuses what is in service and needs blocks that are gone, and carries out the rest', () => {
    const rig = new Rig().login(1);
    const within = rig.send(1, write10(1016, 8), filled(8, 1));
    const across = rig.send(1, write10(1020, 8), filled(8, 2));
    const beyond = rig.send(1, read10(2000, 8));
    const all = rig.send(1, synchronizeCache10());
    resize(rig, 1024);
    rig.advance();
    const outcomes = [within, across, beyond, all].map((tag) => outcomeText(rig.responseTo(1, tag)!));
    expect(outcomes).toEqual(['00', '5/21/00', '5/21/00', '00']);
    const written = rig.facts.filter((fact) => fact.kind === 'scsi.written');
    expect(written.map(({ lba, blocks }) => [lba, blocks])).toEqual([[1016, 8]]);
  });

  it('a command in the queue meets the unit attention first', () => {
    const rig = new Rig({ units: [{ service: { ...IMMEDIATE_SERVICE, other: 1, inService: 1 } }] }).login(1);
    const [first, second] = [rig.send(1, testUnitReady()), rig.send(1, read10(2000, 1))];
    resize(rig, 1024);
    rig.advance();
    expect([first, second].map((tag) => outcomeText(rig.responseTo(1, tag)!))).toEqual(['00', '6/2A/09']);
  });

  it('reservations stay as they are', () => {
    const rig = new Rig().login(1);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    resize(rig, 1024);
    rig.outcome(1, testUnitReady());
    expect(rig.outcomeOf(1, persistentReserveOut(ReserveOut.reserve, 5, 1n, 0n))).toBe('00');
  });

  it('S17: what was in blocks that were gone is not expected of them any more', () => {
    const checker = new Checker([DISK_DURABLE]);
    const units = [{ tellsContent: true, service: IMMEDIATE_SERVICE }];
    const rig = new Rig({ units, observe: (fact: ScsiFact) => checker.observe(stamp(fact) as Stamped) }).login(1);
    for (const lba of [1023, 1024]) rig.outcome(1, write10(lba, 1), filled(1, 7));
    resize(rig, 1024);
    rig.store.write(1023, filled(1, 8));
    resize(rig, 2048);
    rig.store.write(1024, filled(1, 9));
    for (let i = 0; i < 2; i++) rig.outcome(1, testUnitReady());
    for (const lba of [1024, 1023]) expect(rig.outcome(1, read10(lba, 1))).toBe('00');
    expect(checker.violations.map(({ message }) => message)).toEqual([expect.stringContaining('block 1023 of LUN 0')]);
  });
});

it('a FaultyStore has the size of the store below', () => {
  const pristine = new SparseStore({ blocks: 64 });
  const store = new FaultyStore(pristine);
  Object.assign(pristine, { blocks: 32 });
  expect(store.blocks).toBe(32);
});
