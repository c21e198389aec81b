import { SeededWorld } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DISK_SERVICE,
  ReserveOut,
  read10,
  type ScsiFact,
  type TaskAttribute,
  testUnitReady,
  write10,
} from '../src/index.js';
import { type Ended, Rig } from './rig.js';

const BLOCK = new Uint8Array(512);

interface Sent {
  readonly nexus: number;
  readonly attribute: TaskAttribute;
  readonly isWrite: boolean;
  /** µs to wait before it is sent. */
  readonly wait: number;
}

const sent = fc.record({
  nexus: fc.integer({ min: 1, max: 3 }),
  attribute: fc.constantFrom<TaskAttribute>('simple', 'simple', 'simple', 'ordered', 'head-of-queue'),
  isWrite: fc.boolean(),
  wait: fc.constantFrom(0, 0, 0, 200),
});

function play(commands: readonly Sent[], limit: number, seed = 7): Rig {
  const unit = { service: { ...DISK_SERVICE, inService: limit } };
  const rig = new Rig({ units: [unit], world: new SeededWorld({ hi: 0, lo: seed }) }).login(1, 2, 3);
  rig.facts.length = 0;
  commands.forEach(({ nexus, attribute, isWrite, wait }, i) => {
    if (wait > 0) rig.advance(rig.now + wait * 1000);
    if (isWrite) rig.send(nexus, write10(i, 1), BLOCK, 0, attribute);
    else rig.send(nexus, read10(i, 1), undefined, 0, attribute);
  });
  rig.advance();
  return rig;
}

describe('the task set', () => {
  it('ends every command once, keeps ORDERED apart and never has more in service than it may', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (commands, limit) => {
        const rig = play(commands, limit);
        const first = rig.ended.length - commands.length;
        expect(first).toBe(3);
        checkOrder(rig.facts, commands, 4, limit);
      }),
      { numRuns: 150 },
    );
  });

  it('answers TASK SET FULL when it is full', () => {
    const rig = new Rig({ units: [{ maxTasks: 3 }] }).login(1);
    for (let i = 0; i < 5; i++) rig.send(1, read10(i, 1));
    rig.advance();
    expect(rig.ended.slice(-5).map((ended) => ended.status)).toEqual([0x28, 0x28, 0, 0, 0]);
    expect(rig.outcome(1, testUnitReady())).toBe('00');
  });
});

/** Follows the facts; tags count from `firstTag` in the order in which the commands were sent. */
function checkOrder(facts: readonly ScsiFact[], commands: readonly Sent[], firstTag: number, limit: number): void {
  const inService = new Set<number>();
  const ended = new Set<number>();
  const attributeOf = (tag: number): TaskAttribute => commands[tag - firstTag]!.attribute;
  for (const fact of facts) {
    if (fact.kind === 'scsi.command-enabled') {
      const { tag } = fact;
      const older = Array.from({ length: tag - firstTag }, (_, i) => firstTag + i);
      if (attributeOf(tag) === 'ordered') expect(older.every((each) => ended.has(each))).toBe(true);
      if (attributeOf(tag) !== 'head-of-queue') {
        expect(older.every((each) => attributeOf(each) !== 'ordered' || ended.has(each))).toBe(true);
        expect(inService.size).toBeLessThan(limit);
      }
      inService.add(tag);
    } else if (fact.kind === 'scsi.command-ended') {
      expect(inService.delete(fact.tag)).toBe(true);
      ended.add(fact.tag);
    }
  }
  expect(ended.size).toBe(commands.length);
}

describe('determinism', () => {
  const commands: readonly Sent[] = Array.from({ length: 60 }, (_, i) => ({
    nexus: 1 + (i % 3),
    attribute: i % 11 === 10 ? 'ordered' : 'simple',
    isWrite: i % 2 === 0,
    wait: i % 7 === 0 ? 200 : 0,
  }));
  const trace = (ended: readonly Ended[]): string[] => ended.map(({ at, nexus, tag }) => `${at} ${nexus} ${tag}`);

  it('one seed is one history, another seed another', () => {
    const [one, same, other] = [play(commands, 4), play(commands, 4), play(commands, 4, 8)];
    expect(trace(same.ended)).toEqual(trace(one.ended));
    expect(same.facts).toEqual(one.facts);
    expect(trace(other.ended)).not.toEqual(trace(one.ended));
  });

  it('what happens to the commands of one initiator does not move the latencies of another', () => {
    const latencies = (isFenced: boolean): number[] => {
      const rig = new Rig({ world: new SeededWorld({ hi: 0, lo: 3 }) }).login(1, 2);
      rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
      if (isFenced) rig.reserveOut(1, ReserveOut.reserve, 3, 1n);
      else rig.outcome(1, testUnitReady());
      return Array.from({ length: 10 }, () => {
        rig.run(2, read10(0, 1));
        const before = rig.now;
        rig.run(1, read10(0, 1));
        return rig.now - before;
      });
    };
    expect(latencies(true)).toEqual(latencies(false));
  });

  it('a stream is named after unit and nexus', () => {
    const names: string[] = [];
    const world = {
      choices: (stream: string) => {
        names.push(stream);
        return new SeededWorld({ hi: 0, lo: 1 }).choices(stream);
      },
    };
    new Rig({ world, units: [{ lun: 0 }, { lun: 1 }] }).login(3);
    expect(names).toEqual(['disk/0/3', 'disk/1/3']);
  });
});

describe('logins', () => {
  it('one number is one port', () => {
    const rig = new Rig().login(1);
    expect(() => rig.step({ kind: 'login', nexus: 1, port: { name: 'iqn.other', isid: '000000000001' } })).toThrow(
      RangeError,
    );
    expect(() =>
      rig.step({ kind: 'login', nexus: 2, port: { name: 'iqn.2024-01.lab:a', isid: '400000000001' } }),
    ).toThrow(RangeError);
  });

  it('a malformed port is refused', () => {
    const rig = new Rig();
    expect(() => rig.step({ kind: 'login', nexus: 1, port: { name: 'iqn a', isid: '000000000001' } })).toThrow(
      RangeError,
    );
    expect(() => rig.step({ kind: 'login', nexus: 1, port: { name: 'iqn.a', isid: '1' } })).toThrow(RangeError);
  });

  it.each([
    ['a LUN twice', [{ lun: 1 }, { lun: 1 }]],
    ['a LUN that is none', [{ lun: 16384 }]],
    ['a vendor that is too long', [{ vendor: 'NINECHARS' }]],
    ['a serial that is not ASCII', [{ serial: 'é' }]],
    ['an identifier that is none', [{ naa: '5000' }]],
    ['no room for a block', [{ maxTransferBlocks: 0 }]],
    ['no room for a task', [{ maxTasks: 0 }]],
  ])('the configuration has %s', (_what, units) => {
    expect(() => new Rig({ units })).toThrow(/expected/);
  });
});
