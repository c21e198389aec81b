import { hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  decodeCapabilities,
  decodeFullStatus,
  decodeKeys,
  decodeReservation,
  persistentReserveIn,
  ReserveIn,
  ReserveOut,
  read10,
  registerAndMove,
  reserve6,
  testUnitReady,
  write10,
} from '../src/index.js';
import { MAX_REGISTRATIONS } from '../src/reservation/persistent-reservations.js';
import { portOf, Rig } from './rig.js';

const { register, reserve, release, clear, preempt, preemptAndAbort, registerAndIgnoreExistingKey } = ReserveOut;
const [WE, EA, WERO, EARO, WEAR, EAAR] = [1, 3, 5, 6, 7, 8] as const;
const A = 1;
const B = 2;
const C = 3;
const D = 4;

/** `keys A B; WERO A; g2`: registrations, holder and generation, read by the last initiator. */
function stateOf(rig: Rig): string {
  const { generation, keys } = decodeKeys(rig.readKeys(D))!;
  const { registrations } = decodeFullStatus(rig.run(D, persistentReserveIn(ReserveIn.readFullStatus)).data)!;
  const held = decodeReservation(rig.run(D, persistentReserveIn(ReserveIn.readReservation)).data)!.reservation;
  expect(registrations.map((each) => each.key)).toEqual(keys);
  const holders = registrations.filter((each) => each.isHolder).map((each) => each.port!.name.slice(-1));
  const holding = held === undefined ? 'free' : `type ${held.type} ${holders.join('')}`;
  return `keys ${keys.map((key) => key.toString(16)).join(' ')}; ${holding}; g${generation}`;
}

/** Unit attentions that wait for an initiator. */
function attentionsOf(rig: Rig, nexus: number): string[] {
  const found: string[] = [];
  for (let next = rig.outcome(nexus, testUnitReady()); next !== '00'; next = rig.outcome(nexus, testUnitReady())) {
    found.push(next);
  }
  return found;
}

/** Initiators a, b, c, d logged in; a and b registered with keys A and B. */
function registered(): Rig {
  const rig = new Rig().login(A, B, C, D);
  rig.reserveOut(A, register, 0, 0n, 0xan);
  rig.reserveOut(B, register, 0, 0n, 0xbn);
  return rig;
}

function held(type: number): Rig {
  const rig = registered();
  rig.reserveOut(A, reserve, type, 0xan);
  return rig;
}

describe('P1: REGISTER by an unregistered nexus', () => {
  it('a reservation key conflicts', () => {
    expect(new Rig().login(A).reserveOut(A, register, 0, 1n, 2n)).toBe('18');
  });

  it('no keys: GOOD, nothing is registered', () => {
    const rig = new Rig().login(A, D);
    expect(rig.reserveOut(A, register, 0, 0n, 0n)).toBe('00');
    expect(stateOf(rig)).toBe('keys ; free; g1');
  });

  it('a service action key is registered', () => {
    expect(stateOf(registered())).toBe('keys a b; free; g2');
  });

  it('SPEC_I_PT registers the ports that it lists as well, those registered keep their key', () => {
    const rig = new Rig().login(A, B, C, D);
    rig.reserveOut(B, register, 0, 0n, 0xbn);
    const initiatorPorts = [portOf(B), portOf(C)];
    expect(rig.reserveOut(A, register, 0, 0n, 0xan, { initiatorPorts })).toBe('00');
    expect(stateOf(rig)).toBe('keys b a a; free; g2');
  });

  it('SPEC_I_PT with a port that nobody knows registers nobody', () => {
    const rig = new Rig().login(A, B, D);
    expect(rig.reserveOut(A, register, 0, 0n, 0xan, { initiatorPorts: [portOf(B), portOf(9)] })).toBe('5/26/00');
    expect(stateOf(rig)).toBe('keys ; free; g0');
  });
});

describe('P2: REGISTER by a registered nexus', () => {
  it('another key than its own conflicts, none as well', () => {
    const rig = registered();
    expect(rig.reserveOut(A, register, 0, 0xbn, 1n)).toBe('18');
    expect(rig.reserveOut(A, register, 0, 0n, 0xbn)).toBe('18');
    expect(stateOf(rig)).toBe('keys a b; free; g2');
  });

  it('SPEC_I_PT is refused', () => {
    expect(registered().reserveOut(A, register, 0, 0xan, 1n, { initiatorPorts: [portOf(C)] })).toBe('5/26/00');
  });

  it('the key is replaced in its place, the reservation stays', () => {
    const rig = held(WERO);
    expect(rig.reserveOut(A, register, 0, 0xan, 0xcn)).toBe('00');
    expect(stateOf(rig)).toBe('keys c b; type 5 a; g3');
  });
});

describe('P3: REGISTER AND IGNORE EXISTING KEY', () => {
  it('takes any reservation key', () => {
    const rig = registered();
    expect(rig.reserveOut(A, registerAndIgnoreExistingKey, 0, 0x99n, 0xan)).toBe('00');
    expect(rig.reserveOut(C, registerAndIgnoreExistingKey, 0, 0x99n, 0xcn)).toBe('00');
    expect(stateOf(rig)).toBe('keys a b c; free; g4');
  });

  it('unregisters with key 0', () => {
    const rig = registered();
    expect(rig.reserveOut(A, registerAndIgnoreExistingKey, 0, 0n, 0n)).toBe('00');
    expect(stateOf(rig)).toBe('keys b; free; g3');
  });
});

describe('P4: the holder unregisters', () => {
  it.each([WE, EA])('type %i: released, nobody is told', (type) => {
    const rig = held(type);
    expect(rig.reserveOut(A, register, 0, 0xan, 0n)).toBe('00');
    expect(stateOf(rig)).toBe('keys b; free; g3');
    expect([attentionsOf(rig, A), attentionsOf(rig, B)]).toEqual([[], []]);
  });

  it.each([WERO, EARO])(
    'type %i: released, other registrants are told 2A/04, the caller and strangers are not',
    (type) => {
      const rig = held(type);
      expect(rig.reserveOut(A, register, 0, 0xan, 0n)).toBe('00');
      expect(stateOf(rig)).toBe('keys b; free; g3');
      expect([A, B, C].map((nexus) => attentionsOf(rig, nexus))).toEqual([[], ['6/2A/04'], []]);
    },
  );

  it.each([WEAR, EAAR])('type %i: stays with the other registrants, released with the last', (type) => {
    const rig = held(type);
    rig.reserveOut(A, register, 0, 0xan, 0n);
    expect(stateOf(rig)).toBe(`keys b; type ${type} b; g3`);
    expect(attentionsOf(rig, B)).toEqual([]);
    rig.reserveOut(B, register, 0, 0xbn, 0n);
    expect(stateOf(rig)).toBe('keys ; free; g4');
  });
});

describe('P5: another nexus unregisters', () => {
  it('only its registration goes', () => {
    const rig = held(WERO);
    rig.reserveOut(B, register, 0, 0xbn, 0n);
    expect(stateOf(rig)).toBe('keys a; type 5 a; g3');
    expect(attentionsOf(rig, A)).toEqual([]);
  });
});

describe('P6: RESERVE', () => {
  it.each([
    ['unregistered', C, 0n, WERO, '18'],
    ['with a wrong key', A, 0xbn, WERO, '18'],
    ['with a type that is none', A, 0xan, 2, '5/24/00'],
    ['with a type and no reservation', A, 0xan, WERO, '00'],
  ])('%s', (_what, nexus, key, type, expected) => {
    expect(registered().reserveOut(nexus, reserve, type, key)).toBe(expected);
  });

  it('by the holder: same type GOOD, another type conflicts; the generation stays', () => {
    const rig = held(WERO);
    expect([WERO, WE].map((type) => rig.reserveOut(A, reserve, type, 0xan))).toEqual(['00', '18']);
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g2');
  });

  it('under another holder conflicts', () => {
    expect(held(WERO).reserveOut(B, reserve, WERO, 0xbn)).toBe('18');
  });

  it('by any registrant under All Registrants is that of a holder', () => {
    const rig = held(WEAR);
    expect([WEAR, EAAR].map((type) => rig.reserveOut(B, reserve, type, 0xbn))).toEqual(['00', '18']);
    expect(stateOf(rig)).toBe('keys a b; type 7 ab; g2');
  });

  it('a scope other than the logical unit is refused', () => {
    expect(registered().reserveOut(A, reserve, 0x10 | WERO, 0xan)).toBe('5/24/00');
  });

  it.each([WE, EA, WERO, EARO, WEAR, EAAR])('type %i is shown, with key 0 for All Registrants', (type) => {
    const rig = held(type);
    const { reservation } = decodeReservation(rig.run(A, persistentReserveIn(ReserveIn.readReservation)).data)!;
    expect(reservation).toEqual({ key: type >= WEAR ? 0n : 0xan, scope: 0, type });
  });
});

describe('P7: RELEASE', () => {
  it.each([
    ['unregistered', C, 0n, '18'],
    ['with a wrong key', A, 0xbn, '18'],
    ['by a registrant that does not hold', B, 0xbn, '00'],
  ])('%s: nothing changes', (_what, nexus, key, expected) => {
    const rig = held(WERO);
    expect(rig.reserveOut(nexus, release, WERO, key)).toBe(expected);
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g2');
  });

  it('of no reservation: GOOD', () => {
    expect(registered().reserveOut(A, release, WERO, 0xan)).toBe('00');
  });

  it('with another type than the one held: 5/26/04', () => {
    const rig = held(WERO);
    expect(rig.reserveOut(A, release, WE, 0xan)).toBe('5/26/04');
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g2');
  });

  it.each([
    [WE, []],
    [EA, []],
    [WERO, ['6/2A/04']],
    [EARO, ['6/2A/04']],
    [WEAR, ['6/2A/04']],
    [EAAR, ['6/2A/04']],
  ])('type %i: registrations stay, others are told %j', (type, told) => {
    const rig = held(type);
    expect(rig.reserveOut(A, release, type, 0xan)).toBe('00');
    expect(stateOf(rig)).toBe('keys a b; free; g2');
    expect([A, B, C].map((nexus) => attentionsOf(rig, nexus))).toEqual([[], told, []]);
  });
});

describe('P8: CLEAR', () => {
  it.each([
    ['unregistered', C, 0n],
    ['with a wrong key', A, 0xbn],
  ])('%s conflicts', (_what, nexus, key) => {
    expect(held(WERO).reserveOut(nexus, clear, 0, key)).toBe('18');
  });

  it('by any registrant: everything goes, the generation rises by 1, others are told 2A/03', () => {
    const rig = held(WERO);
    expect(rig.reserveOut(B, clear, 0, 0xbn)).toBe('00');
    expect(stateOf(rig)).toBe('keys ; free; g3');
    expect([A, B, C].map((nexus) => attentionsOf(rig, nexus))).toEqual([['6/2A/03'], [], []]);
  });
});

describe('P9 to P11: PREEMPT that is refused', () => {
  it.each([
    ['P9 unregistered', C, 0n, 0xan, '18'],
    ['P9 with a wrong key', A, 0xbn, 0xbn, '18'],
    ['P10 victim 0 without All Registrants', A, 0xan, 0n, '5/26/00'],
    ['P11 victim unknown', A, 0xan, 0xcn, '18'],
  ])('%s', (_what, nexus, key, victim, expected) => {
    const rig = held(WERO);
    expect(rig.reserveOut(nexus, preempt, WERO, key, victim)).toBe(expected);
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g2');
  });

  it('P11: the second preempt of a victim conflicts', () => {
    const rig = held(WERO);
    expect([1, 2].map(() => rig.reserveOut(A, preempt, WERO, 0xan, 0xbn))).toEqual(['00', '18']);
  });
});

describe('P12: PREEMPT of a key that holds nothing', () => {
  it('removes its registrations, the reservation stays; the victim is told 2A/05', () => {
    const rig = held(WERO);
    rig.reserveOut(C, register, 0, 0n, 0xbn);
    expect(rig.reserveOut(A, preempt, WE, 0xan, 0xbn)).toBe('00');
    expect(stateOf(rig)).toBe('keys a; type 5 a; g4');
    expect([A, B, C].map((nexus) => attentionsOf(rig, nexus))).toEqual([[], ['6/2A/05'], ['6/2A/05']]);
  });

  it('ignores the type in the CDB', () => {
    expect(held(WERO).reserveOut(A, preempt, 2, 0xan, 0xbn)).toBe('00');
  });

  it('removes the caller too when it has the same key, and does not tell it', () => {
    const rig = new Rig().login(A, B, D);
    rig.reserveOut(A, register, 0, 0n, 7n);
    rig.reserveOut(B, register, 0, 0n, 7n);
    expect(rig.reserveOut(B, preempt, WERO, 7n, 7n)).toBe('00');
    expect(stateOf(rig)).toBe('keys ; free; g3');
    expect([attentionsOf(rig, A), attentionsOf(rig, B)]).toEqual([['6/2A/05'], []]);
  });
});

describe('P13: PREEMPT of the key of the holder', () => {
  it('the caller holds, with the type of the CDB; the same type: only the victim is told', () => {
    const rig = held(WERO);
    rig.reserveOut(C, register, 0, 0n, 0xcn);
    expect(rig.reserveOut(B, preempt, WERO, 0xbn, 0xan)).toBe('00');
    expect(stateOf(rig)).toBe('keys b c; type 5 b; g4');
    expect([A, B, C].map((nexus) => attentionsOf(rig, nexus))).toEqual([['6/2A/05'], [], []]);
  });

  it('another type: the other registrants are told 2A/04', () => {
    const rig = held(WERO);
    rig.reserveOut(C, register, 0, 0n, 0xcn);
    expect(rig.reserveOut(B, preempt, EARO, 0xbn, 0xan)).toBe('00');
    expect(stateOf(rig)).toBe('keys b c; type 6 b; g4');
    expect([A, B, C].map((nexus) => attentionsOf(rig, nexus))).toEqual([['6/2A/05'], [], ['6/2A/04']]);
  });

  it('of itself: keeps the registration, takes the new type', () => {
    const rig = held(WERO);
    expect(rig.reserveOut(A, preempt, WE, 0xan, 0xan)).toBe('00');
    expect(stateOf(rig)).toBe('keys a b; type 1 a; g3');
  });

  it('shared with a stale nexus: the caller takes over, as fence_scsi does after a new isid', () => {
    const rig = held(WERO);
    rig.reserveOut(C, register, 0, 0n, 0xan);
    expect(rig.reserveOut(C, preempt, WERO, 0xan, 0xan)).toBe('00');
    expect(stateOf(rig)).toBe('keys b a; type 5 c; g4');
    expect(attentionsOf(rig, C)).toEqual([]);
  });

  it('a type that is none, or a scope, is refused', () => {
    const rig = held(WERO);
    expect(rig.reserveOut(B, preempt, 4, 0xbn, 0xan)).toBe('5/24/00');
    expect(rig.reserveOut(B, preempt, 0x10 | WERO, 0xbn, 0xan)).toBe('5/24/00');
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g2');
  });
});

describe('P14, P15: PREEMPT under All Registrants', () => {
  it('P14 victim 0: every other registration goes, the caller holds with the type of the CDB', () => {
    const rig = held(EAAR);
    expect(rig.reserveOut(B, preempt, WERO, 0xbn, 0n)).toBe('00');
    expect(stateOf(rig)).toBe('keys b; type 5 b; g3');
    expect([attentionsOf(rig, A), attentionsOf(rig, B)]).toEqual([['6/2A/05'], []]);
  });

  it('P15 a key: its registrations go, the reservation stays', () => {
    const rig = held(WEAR);
    expect(rig.reserveOut(B, preempt, WERO, 0xbn, 0xan)).toBe('00');
    expect(stateOf(rig)).toBe('keys b; type 7 b; g3');
  });

  it('P15 the own key, and nobody else has it: nothing goes', () => {
    const rig = held(WEAR);
    expect(rig.reserveOut(B, preempt, WERO, 0xbn, 0xbn)).toBe('00');
    expect(stateOf(rig)).toBe('keys a b; type 7 ab; g3');
  });

  it('P11 a key that nobody has conflicts', () => {
    expect(held(WEAR).reserveOut(B, preempt, WERO, 0xbn, 9n)).toBe('18');
  });
});

describe('P16: PREEMPT AND ABORT', () => {
  const DATA = new Uint8Array(64 * 512).fill(0xbb);

  it('changes registrations as PREEMPT does', () => {
    const rig = held(WERO);
    expect(rig.reserveOut(B, preemptAndAbort, WERO, 0xbn, 0xan)).toBe('00');
    expect(stateOf(rig)).toBe('keys b; type 5 b; g3');
  });

  it('every task of every victim is gone when GOOD is sent, those of others go on', () => {
    const rig = held(WERO);
    const flying = [rig.send(B, write10(0, 64), DATA), rig.send(B, read10(0, 8))];
    const own = rig.send(A, write10(100, 64), DATA);
    const stranger = rig.send(C, read10(0, 8));
    expect(rig.reserveOut(A, preemptAndAbort, WERO, 0xan, 0xbn)).toBe('00');
    rig.advance();
    expect(flying.map((tag) => rig.responseTo(B, tag))).toEqual([undefined, undefined]);
    expect([rig.responseTo(A, own)?.status, rig.responseTo(C, stranger)?.status]).toEqual([0, 0]);
    expect(rig.run(A, read10(0, 1)).data[0]).toBe(0);
  });

  it('the next command of the victim gets 2A/05, later writes conflict and reads work', () => {
    const rig = held(WERO);
    rig.reserveOut(A, preemptAndAbort, WERO, 0xan, 0xbn);
    const write = (): string => rig.outcome(B, write10(0, 64), DATA);
    expect([write(), write(), rig.outcome(B, read10(0, 1))]).toEqual(['6/2A/05', '18', '00']);
  });

  it('TAS 1: the victim gets TASK ABORTED and no 2F/00', () => {
    const rig = new Rig({ units: [{ hasTaskAbortedStatus: true }] }).login(A, B);
    rig.reserveOut(A, register, 0, 0n, 0xan);
    rig.reserveOut(B, register, 0, 0n, 0xbn);
    rig.reserveOut(A, reserve, WERO, 0xan);
    const flying = rig.send(B, write10(0, 64), DATA);
    expect(rig.reserveOut(A, preemptAndAbort, WERO, 0xan, 0xbn)).toBe('00');
    expect(rig.responseTo(B, flying)?.status).toBe(0x40);
    expect(attentionsOf(rig, B)).toEqual(['6/2A/05']);
  });

  it('PREEMPT alone lets a write that is in service end', () => {
    const rig = held(WERO);
    const flying = rig.send(B, write10(0, 64), DATA);
    expect(rig.reserveOut(A, preempt, WERO, 0xan, 0xbn)).toBe('00');
    expect(rig.responseTo(B, flying)?.status).toBe(0);
    expect(rig.run(A, read10(0, 1)).data[0]).toBe(0xbb);
  });
});

describe('P17: REGISTER AND MOVE', () => {
  const move = (rig: Rig, nexus: number, options: Partial<Parameters<typeof registerAndMove>[0]> = {}): string =>
    rig.outcomeOf(
      nexus,
      registerAndMove({
        key: 0xan,
        serviceActionKey: 0xcn,
        unregister: false,
        aptpl: false,
        relativeTargetPort: 1,
        destination: portOf(C),
        ...options,
      }),
    );

  it('registers the destination and moves the reservation with its type', () => {
    const rig = held(WERO);
    expect(move(rig, A)).toBe('00');
    expect(stateOf(rig)).toBe('keys a b c; type 5 c; g3');
    expect([A, B, C].map((nexus) => attentionsOf(rig, nexus))).toEqual([[], [], []]);
  });

  it('replaces the key of a registered destination; UNREG unregisters the caller', () => {
    const rig = held(WERO);
    expect(move(rig, A, { destination: portOf(B), unregister: true })).toBe('00');
    expect(stateOf(rig)).toBe('keys c; type 5 b; g3');
  });

  it.each([
    ['unregistered', C, {}, '18'],
    ['with a wrong key', A, { key: 1n }, '18'],
    ['without a key for the destination', A, { serviceActionKey: 0n }, '5/26/00'],
    ['to another target port', A, { relativeTargetPort: 2 }, '5/26/00'],
    ['to itself', A, { destination: portOf(A) }, '5/26/00'],
    ['to a port that nobody knows', A, { destination: portOf(9) }, '5/26/00'],
    ['by a registrant that does not hold', B, { key: 0xbn }, '18'],
  ])('%s', (_what, nexus, options, expected) => {
    const rig = held(WERO);
    expect(move(rig, nexus, options)).toBe(expected);
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g2');
  });

  it('without a reservation: 5/24/00; under All Registrants: conflict', () => {
    expect(move(registered(), A)).toBe('5/24/00');
    expect(move(held(WEAR), A)).toBe('18');
  });
});

describe('P18: PRgeneration', () => {
  it('rises by 1 with each REGISTER, REGISTER AND IGNORE, unregister, PREEMPT and CLEAR, and with nothing else', () => {
    const rig = registered();
    const generation = (): number => decodeKeys(rig.readKeys(D))!.generation;
    const steps: readonly (readonly [() => string, string, number])[] = [
      [() => rig.reserveOut(A, register, 0, 0xan, 0xan), '00', 1],
      [() => rig.reserveOut(A, registerAndIgnoreExistingKey, 0, 0n, 0xan), '00', 1],
      [() => rig.reserveOut(A, register, 0, 0n, 0xan), '18', 0],
      [() => rig.reserveOut(A, reserve, WERO, 0xan), '00', 0],
      [() => rig.reserveOut(A, release, WERO, 0xan), '00', 0],
      [() => rig.reserveOut(A, reserve, WERO, 0xan), '00', 0],
      [() => rig.reserveOut(A, preempt, WERO, 0xan, 0xcn), '18', 0],
      [() => rig.reserveOut(A, preempt, WERO, 0xan, 0n), '5/26/00', 0],
      [() => rig.reserveOut(A, preempt, WERO, 0xan, 0xbn), '00', 1],
      [() => rig.reserveOut(A, register, 0, 0xan, 0n), '00', 1],
      [() => rig.reserveOut(A, register, 0, 0n, 0xan), '00', 1],
      [() => rig.reserveOut(A, clear, 0, 0xan), '00', 1],
    ];
    for (const [step, outcome, rise] of steps) {
      const before = generation();
      expect(step()).toBe(outcome);
      expect(generation() - before).toBe(rise);
    }
  });
});

describe('P19 to P23', () => {
  it('P19 everybody may read keys, reservation, status and capabilities under Exclusive Access', () => {
    const rig = held(EA);
    expect([0, 1, 2, 3].map((action) => rig.outcome(C, persistentReserveIn(action as ReserveIn)))).toEqual([
      '00',
      '00',
      '00',
      '00',
    ]);
  });

  it.each(['lun-reset', 'nexus-lost', 'logout', 'login'] as const)('P20 %s leaves everything in place', (what) => {
    const rig = held(WERO);
    if (what === 'lun-reset') rig.step({ kind: 'task-management', nexus: A, lun: 0, function: what, id: 1 });
    else if (what === 'login') rig.step({ kind: what, nexus: A, port: portOf(A) });
    else rig.step({ kind: what, nexus: A });
    rig.login(D);
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g2');
    rig.login(A);
    expect(rig.outcome(A, write10(0, 1), new Uint8Array(512))).toBe('00');
  });

  it('P20 another isid is another nexus and is not registered', () => {
    const rig = held(WERO);
    rig.step({ kind: 'logout', nexus: A });
    rig.step({ kind: 'login', nexus: 5, port: { ...portOf(A), isid: '400000000099' } });
    rig.outcome(5, testUnitReady());
    expect(rig.outcome(5, write10(0, 1), new Uint8Array(512))).toBe('18');
  });

  it('P21 several nexuses may have one key; each is listed', () => {
    const rig = registered();
    rig.reserveOut(C, register, 0, 0n, 0xan);
    expect(stateOf(rig)).toBe('keys a b a; free; g3');
  });

  it('P22 there is room for many registrations, and beyond that 5/55/04', () => {
    const rig = new Rig();
    const outcomes: string[] = [];
    for (let nexus = 1; nexus <= MAX_REGISTRATIONS + 1; nexus++) {
      const isid = (0x400000000000 + nexus).toString(16);
      rig.step({ kind: 'login', nexus, port: { name: 'iqn.2024-01.lab:many', isid } });
      rig.outcome(nexus, testUnitReady());
      outcomes.push(rig.reserveOut(nexus, register, 0, 0n, BigInt(nexus)));
    }
    expect(MAX_REGISTRATIONS).toBeGreaterThanOrEqual(32);
    expect(outcomes).toEqual([...new Array(MAX_REGISTRATIONS).fill('00'), '5/55/04']);
    expect(decodeKeys(rig.readKeys(1))!.keys.length).toBe(MAX_REGISTRATIONS);
  });

  it('P23 ALL_TG_PT is shown, and such a registration is changed with ALL_TG_PT only', () => {
    const rig = new Rig().login(A);
    rig.reserveOut(A, register, 0, 0n, 1n, { allTargetPorts: true });
    const status = decodeFullStatus(rig.run(A, persistentReserveIn(ReserveIn.readFullStatus)).data)!;
    expect(status.registrations[0]).toMatchObject({ key: 1n, allTargetPorts: true, isHolder: false, port: portOf(A) });
    expect(rig.reserveOut(A, register, 0, 1n, 2n)).toBe('5/24/00');
    expect(rig.reserveOut(A, register, 0, 1n, 2n, { allTargetPorts: true })).toBe('00');
  });

  it('P24 PERSISTENT RESERVE OUT works on a write-protected unit', () => {
    const rig = new Rig({ units: [{ isWriteProtected: true }] }).login(A);
    expect(rig.reserveOut(A, register, 0, 0n, 1n)).toBe('00');
  });
});

describe('APTPL', () => {
  const powerCycle = (rig: Rig): void => {
    rig.step({ kind: 'power-cycle' });
    for (const nexus of [A, B, C, D]) {
      rig.step({ kind: 'login', nexus, port: portOf(nexus) });
      rig.outcome(nexus, testUnitReady());
    }
  };
  const isActive = (rig: Rig): boolean =>
    decodeCapabilities(rig.run(D, persistentReserveIn(ReserveIn.reportCapabilities)).data)!
      .persistThroughPowerLossActivated;

  it('without it, power loss clears registrations and reservation', () => {
    const rig = held(WERO);
    powerCycle(rig);
    expect(stateOf(rig)).toBe('keys ; free; g0');
  });

  it('with it, they are back before the first command, and the generation is 0', () => {
    const rig = held(WERO);
    rig.reserveOut(B, register, 0, 0xbn, 0xbn, { aptpl: true });
    expect(isActive(rig)).toBe(true);
    powerCycle(rig);
    expect(stateOf(rig)).toBe('keys a b; type 5 a; g0');
    expect(isActive(rig)).toBe(true);
  });

  it('a later REGISTER without it switches it off', () => {
    const rig = new Rig().login(A, B, C, D);
    rig.reserveOut(A, register, 0, 0n, 1n, { aptpl: true });
    rig.reserveOut(B, register, 0, 0n, 2n);
    expect(isActive(rig)).toBe(false);
    powerCycle(rig);
    expect(stateOf(rig)).toBe('keys ; free; g0');
  });
});

describe('what the libiscsi suite checks', () => {
  it('READ KEYS: at least 8 bytes, additional length is the rest', () => {
    const data = registered().readKeys(A);
    expect(hex(data)).toBe(`00000002${'00000010'}000000000000000a000000000000000b`);
  });

  it('READ KEYS truncated to 8 bytes: the full additional length and no key', () => {
    const rig = new Rig().login(A);
    rig.reserveOut(A, registerAndIgnoreExistingKey, 0, 0n, 1n);
    expect(hex(rig.run(A, persistentReserveIn(ReserveIn.readKeys, 8)).data)).toBe('0000000100000008');
  });

  it('PERSISTENT RESERVE IN: actions 0 to 3, and no other', () => {
    const rig = new Rig().login(A);
    for (let action = 0; action < 32; action++) {
      const expected = action < 4 ? '00' : '5/24/00';
      expect(rig.outcome(A, persistentReserveIn(action as ReserveIn)), `action ${action}`).toBe(expected);
    }
  });

  it('each advertised type can be reserved, is shown, and is released', () => {
    const rig = new Rig().login(A);
    rig.reserveOut(A, register, 0, 0n, 1n);
    const capabilities = decodeCapabilities(rig.run(A, persistentReserveIn(ReserveIn.reportCapabilities)).data)!;
    expect(capabilities.allowCommands).toBeLessThanOrEqual(5);
    expect(capabilities.types).toEqual([WE, EA, WERO, EARO, WEAR, EAAR]);
    for (const type of capabilities.types!) {
      expect(rig.reserveOut(A, reserve, type, 1n)).toBe('00');
      const { data } = rig.run(A, persistentReserveIn(ReserveIn.readReservation));
      expect(decodeReservation(data)!.reservation?.type).toBe(type);
      expect(rig.reserveOut(A, release, type, 1n)).toBe('00');
    }
  });

  it.each([
    [WE, 'free'],
    [EA, 'free'],
    [WERO, 'free'],
    [EARO, 'free'],
    [WEAR, 'type 7 b'],
    [EAAR, 'type 8 b'],
  ])('ownership of type %i when the holder unregisters: READ RESERVATION works at once, %s', (type, expected) => {
    const rig = held(type);
    rig.reserveOut(A, register, 0, 0xan, 0n);
    expect(rig.outcome(A, persistentReserveIn(ReserveIn.readReservation))).toBe('00');
    expect(stateOf(rig)).toContain(expected);
    if (type >= WEAR) expect(rig.reserveOut(B, release, type, 0xbn)).toBe('00');
  });

  it('REPORT CAPABILITIES', () => {
    const rig = new Rig().login(A);
    expect(hex(rig.run(A, persistentReserveIn(ReserveIn.reportCapabilities)).data)).toBe('00081d90ea010000');
  });

  it('RESERVE(6) of the first, PERSISTENT RESERVE of the second: conflict', () => {
    const rig = new Rig().login(A, B);
    rig.outcome(A, reserve6());
    expect(rig.reserveOut(B, register, 0, 0n, 1n)).toBe('18');
  });
});
