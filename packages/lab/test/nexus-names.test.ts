import type { Fact } from '@quorate/kernel';
import type { ReservationChangedFact, ScsiFact } from '@quorate/scsi';
import { beforeEach, expect, it } from 'vitest';
import { NexusNames } from '../src/hosts/nexus-names.js';

const NODES = new Map([
  ['iqn.2016-02.example.quorate:one', 11],
  ['iqn.2016-02.example.quorate:two', 12],
]);

let told: Fact[];
let names: NexusNames;

/** What the names need of a login; the rest of that fact passes through. */
function logIn(initiator: string, nexus: number): void {
  const login = { kind: 'iscsi.logged-in', now: 0, connection: 1, session: 1, nexus, initiator, isid: '00023d000001' };
  names.onIscsi(login as unknown as Parameters<NexusNames['onIscsi']>[0]);
}

function tell(fact: ScsiFact): Fact | undefined {
  names.onScsi(fact);
  return told.at(-1);
}

beforeEach(() => {
  told = [];
  names = new NexusNames(NODES, (fact) => told.push(fact));
  logIn('iqn.2016-02.example.quorate:two', 1);
  logIn('iqn.2016-02.example.quorate:one', 2);
});

const WRITTEN: ScsiFact = { kind: 'scsi.written', now: 0, lun: 1, nexus: 1, tag: 5, lba: 8, blocks: 1 };

it('a login and what follows from it are told under the id of the node', () => {
  expect(told).toMatchObject([{ nexus: 12 }, { nexus: 11 }]);
  expect(tell(WRITTEN)).toEqual({ ...WRITTEN, nexus: 12 });
});

it('a later session of a node is the same nexus to the rules', () => {
  logIn('iqn.2016-02.example.quorate:two', 3);
  expect(tell({ ...WRITTEN, nexus: 3 })).toEqual({ ...WRITTEN, nexus: 12 });
});

it('a fact without a nexus stays as it is, and a discovery session is nobody', () => {
  logIn('iqn.2016-02.example.quorate:one', 0);
  expect(told.at(-1)).toMatchObject({ nexus: 0 });
  const cycled: ScsiFact = { kind: 'scsi.power-cycled', now: 0, lun: 1, hasKeptReservations: true };
  expect(tell(cycled)).toEqual(cycled);
});

it('everybody in a changed reservation is told under his id', () => {
  const changed: ReservationChangedFact = {
    kind: 'scsi.reservation-changed',
    now: 0,
    lun: 1,
    nexus: 1,
    action: 'preempt-and-abort',
    requestedType: 5,
    key: 'a',
    serviceActionKey: 'b',
    aptpl: false,
    alsoRegister: [2],
    destination: 2,
    unregister: false,
    generation: 4,
    type: 5,
    holder: 1,
    registered: [{ nexus: 1, key: 'a' }],
    preempted: [2],
    aborted: 3,
  };
  expect(tell(changed)).toEqual({
    ...changed,
    nexus: 12,
    alsoRegister: [11],
    destination: 11,
    holder: 12,
    registered: [{ nexus: 12, key: 'a' }],
    preempted: [11],
  });
});
