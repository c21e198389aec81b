import { Checker, fmix32, SeededWorld, type Stamped } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  invariants,
  persistentReserveOut,
  type ReservationChangedFact,
  ReserveOut,
  read10,
  type ScsiFact,
  write10,
} from '../src/index.js';
import { Standing } from '../src/reservation/conflict.js';
import { PersistentReservations } from '../src/reservation/persistent-reservations.js';
import { TaskSet } from '../src/task-set.js';
import { Rig, stamp } from './rig.js';

const DATA = new Uint8Array(8 * 512);

/** Ids of the invariants that a history of facts breaks. */
function broken(facts: readonly ScsiFact[]): string[] {
  const checker = new Checker(invariants);
  facts.forEach((fact, i) => {
    checker.observe(stamp(fact, i) as Stamped);
  });
  checker.end(facts.at(-1)?.now ?? 0);
  return [...new Set(checker.violations.map((violation) => violation.invariant))];
}

/** Runs with one rule of the target broken, and mends it. */
function withBroken<T>(rule: { mockRestore(): void }, run: () => T): T {
  try {
    return run();
  } finally {
    rule.mockRestore();
  }
}

/** Five nodes as fence_scsi leaves them, node 5 fenced while it writes, then unfenced again. */
function fencing(): ScsiFact[] {
  const nodes = [1, 2, 3, 4, 5];
  const rig = new Rig({ world: new SeededWorld({ hi: 0, lo: 5 }) }).login(...nodes);
  for (const node of nodes) rig.reserveOut(node, ReserveOut.registerAndIgnoreExistingKey, 0, 0n, BigInt(node));
  rig.reserveOut(1, ReserveOut.reserve, 5, 1n);
  for (const node of nodes) rig.send(node, write10(8 * node, 8), DATA);
  rig.send(5, write10(200, 8), DATA);
  rig.reserveOut(2, ReserveOut.preemptAndAbort, 5, 2n, 5n);
  for (let i = 0; i < 4; i++) rig.outcome(5, write10(300, 8), DATA);
  rig.reserveOut(5, ReserveOut.registerAndIgnoreExistingKey, 0, 0n, 5n);
  rig.outcome(5, write10(400, 8), DATA);
  return rig.facts;
}

/** The PREEMPT AND ABORT of that history. */
function fenceOf(facts: readonly ScsiFact[]): ReservationChangedFact {
  const isFence = (fact: ScsiFact): fact is ReservationChangedFact =>
    fact.kind === 'scsi.reservation-changed' && fact.action === 'preempt-and-abort';
  return facts.find(isFence)!;
}

/** The history with facts put in right after the fence. */
function afterFence(facts: readonly ScsiFact[], ...late: readonly ScsiFact[]): ScsiFact[] {
  const at = facts.indexOf(fenceOf(facts)) + 1;
  return [...facts.slice(0, at), ...late, ...facts.slice(at)];
}

it('a fencing passes, and has something to check', () => {
  const facts = fencing();
  expect(broken(facts)).toEqual([]);
  expect(fenceOf(facts).preempted).toEqual([5]);
  expect(facts.some((fact) => fact.kind === 'scsi.command-ended' && fact.status === 0x18)).toBe(true);
  expect(facts.some((fact) => fact.kind === 'scsi.written' && fact.nexus === 5 && fact.lba === 400)).toBe(true);
});

describe('S13 fenced-write', () => {
  it('a write of the victim that reaches the medium after the fence is found', () => {
    const facts = fencing();
    const { now } = fenceOf(facts);
    const late: ScsiFact = { kind: 'scsi.written', now, lun: 0, nexus: 5, tag: 1, lba: 200, blocks: 8 };
    expect(broken(afterFence(facts, late))).toEqual(['S13']);
  });

  it('on another unit, or by another node, it is none', () => {
    const facts = fencing();
    const { now } = fenceOf(facts);
    const write = { kind: 'scsi.written', now, lun: 0, nexus: 4, tag: 1, lba: 200, blocks: 8 } as const;
    expect(broken(afterFence(facts, write, { ...write, lun: 1, nexus: 5 }))).toEqual([]);
  });

  it('a target that does not abort what is in service is found', () => {
    // The rule broken: PREEMPT AND ABORT finds no tasks to end.
    const facts = withBroken(vi.spyOn(TaskSet.prototype, 'tasks').mockReturnValue([]), fencing);
    expect(broken(facts)).toEqual(['S13']);
  });
});

describe('S15 pr-rights', () => {
  const enabled = (nexus: number, opcode: number): ScsiFact => ({
    kind: 'scsi.command-enabled',
    now: 9,
    lun: 0,
    nexus,
    tag: 77,
    opcode,
  });
  const ended = (nexus: number, opcode: number, status: number, sense?: string): ScsiFact => ({
    kind: 'scsi.command-ended',
    now: 9,
    lun: 0,
    nexus,
    tag: 77,
    opcode,
    status,
    ...(sense === undefined ? undefined : { sense }),
    isDelivered: true,
  });
  /** Node 1 holds, node 2 is registered, node 3 is a stranger. */
  const under = (type: number): ScsiFact[] => {
    const rig = new Rig().login(1, 2, 3);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    rig.reserveOut(1, ReserveOut.reserve, type, 1n);
    return rig.facts;
  };

  it.each([
    // type    nexus  opcode  may run
    ['WERO', 5, 3, 0x2a, false],
    ['WERO', 5, 3, 0x28, true],
    ['WERO', 5, 2, 0x2a, true],
    ['WERO', 5, 3, 0x35, false],
    ['EARO', 6, 3, 0x28, false],
    ['EARO', 6, 2, 0x28, true],
    ['WE', 1, 2, 0x2a, false],
    ['WE', 1, 2, 0x28, true],
    ['EA', 3, 2, 0x28, false],
    ['EA', 3, 1, 0x2a, true],
    ['EAAR', 8, 3, 0x88, false],
    ['WEAR', 7, 2, 0x8a, true],
    ['EA', 3, 3, 0x00, true],
  ])('%s (%i): nexus %i, opcode %i, GOOD is %s', (_name, type, nexus, opcode, mayRun) => {
    const facts = [...under(type), enabled(nexus, opcode), ended(nexus, opcode, 0)];
    expect(broken(facts)).toEqual(mayRun ? [] : ['S15']);
  });

  it.each([
    ['RESERVATION CONFLICT', 0x18, undefined, true],
    ['a unit attention', 2, '6/2A/05', true],
    ['an unknown opcode', 2, '5/20/00', true],
    ['a wrong range', 2, '5/21/00', false],
    ['BUSY', 8, undefined, false],
  ])('a write without rights may end with %s: %s', (_what, status, sense, isRight) => {
    const facts = [...under(5), enabled(3, 0x2a), ended(3, 0x2a, status, sense)];
    expect(broken(facts)).toEqual(isRight ? [] : ['S15']);
  });

  it('a service action that nobody knows is refused before rights are looked at', () => {
    const rig = new Rig().login(1, 2);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.reserveOut(1, ReserveOut.reserve, 3, 1n);
    const { cdb, data } = persistentReserveOut(ReserveOut.clear, 0, 0n, 0n);
    cdb[1] = 0x1f;
    expect(rig.outcome(2, cdb, data)).toBe('5/24/00');
    expect(broken(rig.facts)).toEqual([]);
  });

  it('a medium that a command without rights changes is found, whatever its status', () => {
    const written: ScsiFact = { kind: 'scsi.written', now: 9, lun: 0, nexus: 3, tag: 77, lba: 0, blocks: 1 };
    expect(broken([...under(5), enabled(3, 0x2a), written, ended(3, 0x2a, 0x18)])).toEqual(['S15']);
  });

  it('a target that takes no notice of reservations is found', () => {
    // The rule broken: nobody stands outside of a reservation.
    const standing = vi.spyOn(PersistentReservations.prototype, 'standing').mockReturnValue(Standing.unrestricted);
    expect(broken(withBroken(standing, fencing))).toContain('S15');
  });

  it('rights are those of the moment when the command was enabled', () => {
    const rig = new Rig().login(1, 2);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.send(2, write10(0, 8), DATA);
    rig.reserveOut(1, ReserveOut.reserve, 5, 1n);
    rig.advance();
    expect(broken(rig.facts)).toEqual([]);
  });
});

describe('S16 pr-generation', () => {
  const withGeneration = (change: (fact: ReservationChangedFact) => number): string[] =>
    broken(
      fencing().map((fact) =>
        fact.kind === 'scsi.reservation-changed' ? { ...fact, generation: change(fact) } : fact,
      ),
    );

  it.each([
    ['RESERVE counted', (fact: ReservationChangedFact) => fact.generation + (fact.type === 0 ? 0 : 1)],
    ['PREEMPT AND ABORT not counted', (fact: ReservationChangedFact) => Math.min(fact.generation, 5)],
    ['a failed command counted', (fact: ReservationChangedFact) => fact.generation * 2],
  ])('%s is found', (_what, change) => {
    expect(withGeneration(change)).toEqual(['S16']);
  });

  it('a target that counts nothing is found', () => {
    const generation = vi.spyOn(PersistentReservations.prototype, 'generation', 'get').mockReturnValue(0);
    expect(broken(withBroken(generation, fencing))).toEqual(['S16']);
  });

  it('starts at 0 again after a power cycle, with and without APTPL', () => {
    for (const aptpl of [true, false]) {
      const rig = new Rig().login(1);
      rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n, { aptpl });
      rig.reserveOut(1, ReserveOut.reserve, 1, 1n);
      rig.step({ kind: 'power-cycle' });
      rig.login(1);
      rig.reserveOut(1, ReserveOut.registerAndIgnoreExistingKey, 0, 0n, 2n);
      expect(broken(rig.facts)).toEqual([]);
    }
  });
});

it('random histories of commands in flight, crashes and fences break neither rights nor generation', () => {
  const step = fc.record({
    nexus: fc.integer({ min: 1, max: 4 }),
    what: fc.constantFrom('write', 'write', 'read', 'out', 'out', 'lost', 'reset', 'power-cycle'),
    action: fc.constantFrom(0, 1, 1, 2, 3, 4, 5, 6, 6, 6),
    type: fc.constantFrom(1, 3, 5, 5, 6, 7, 8),
    key: fc.integer({ min: 0, max: 4 }),
    otherKey: fc.integer({ min: 0, max: 4 }),
    wait: fc.constantFrom(0, 0, 20_000, 200_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, seed) => {
      const rig = new Rig({ world: new SeededWorld({ hi: 0, lo: fmix32(seed) }) }).login(1, 2, 3, 4);
      for (const { nexus, what, action, type, key, otherKey, wait } of steps) {
        if (what === 'write') rig.send(nexus, write10(8 * nexus, 8), DATA);
        else if (what === 'read') rig.send(nexus, read10(0, 8));
        else if (what === 'reset') rig.step({ kind: 'task-management', nexus, lun: 0, function: 'lun-reset', id: 1 });
        else if (what === 'out') {
          const command = persistentReserveOut(action as ReserveOut, type, BigInt(key), BigInt(otherKey), {
            aptpl: key === 1,
          });
          rig.send(nexus, command.cdb, command.data);
        } else if (what === 'lost') {
          rig.step({ kind: 'nexus-lost', nexus });
          rig.login(nexus);
        } else {
          rig.step({ kind: 'power-cycle' });
          rig.login(1, 2, 3, 4);
        }
        rig.advance(rig.now + wait);
      }
      rig.advance();
      expect(broken(rig.facts).filter((id) => id !== 'S13')).toEqual([]);
      JSON.stringify(rig.target.inspect());
    }),
    { numRuns: 150 },
  );
});

it('fences at random under one reservation that nobody gives up leave no late write', () => {
  const step = fc.record({
    nexus: fc.integer({ min: 1, max: 4 }),
    isFence: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    wait: fc.nat(300_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.nat(), (steps, seed) => {
      const rig = new Rig({ world: new SeededWorld({ hi: 1, lo: fmix32(seed) }) }).login(1, 2, 3, 4);
      for (const node of [1, 2, 3, 4]) rig.reserveOut(node, ReserveOut.register, 0, 0n, BigInt(node));
      rig.reserveOut(1, ReserveOut.reserve, 5, 1n);
      for (const { nexus, isFence, wait } of steps) {
        const fence = persistentReserveOut(ReserveOut.preemptAndAbort, 5, BigInt(nexus), BigInt(1 + (nexus % 4)));
        if (isFence) rig.send(nexus, fence.cdb, fence.data);
        else rig.send(nexus, write10(8 * nexus, 8), DATA);
        rig.advance(rig.now + wait);
      }
      rig.advance();
      expect(broken(rig.facts)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
