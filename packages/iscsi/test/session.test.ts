import { bytesEqual, Prng, SECOND } from '@quorate/kernel';
import {
  decodeInquiry,
  inquiry,
  persistentReserveOut,
  ReserveOut,
  read10,
  reportLuns,
  Status,
  senseOf,
  senseText,
  testUnitReady,
  write10,
} from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import type { Parameters } from '../src/index.js';
import { BLOCKS, Client, Rig, TARGET } from './rig.js';

function random(length: number, name: string): Uint8Array {
  const prng = Prng.derive({ hi: 0, lo: 1 }, name);
  return Uint8Array.from({ length }, () => prng.below(256));
}

const WISHES: readonly Partial<Parameters>[] = [true, false].flatMap((initialR2T) =>
  [true, false].flatMap((immediateData) => [
    { initialR2T, immediateData },
    { initialR2T, immediateData, firstBurstLength: 1000, maxBurstLength: 5000, maxOutstandingR2T: 3 },
    { initialR2T, immediateData, maxRecvDataSegmentLength: 1537, headerDigest: true, dataDigest: true },
    { initialR2T, immediateData, firstBurstLength: 2048, maxBurstLength: 4096, dataDigest: true },
  ]),
);

describe.each(WISHES)('%j', (wishes) => {
  it.each([
    [1, Infinity],
    [7, 1000],
    [129, 4096],
    [1000, 65_536],
  ])('writes and reads %i blocks in chunks of %d bytes', (blocks, chunk) => {
    const rig = new Rig();
    const client = new Client(rig, { wishes }, chunk).settle();
    const dataOut = random(blocks * 512, `${blocks}`);
    expect(client.execute(write10(3, blocks), { dataOut })).toMatchObject({ status: Status.good, residual: 0 });
    const response = client.execute(read10(3, blocks), { dataInLength: blocks * 512 });
    expect(bytesEqual(response.data, dataOut)).toBe(true);
    const stored = new Uint8Array(blocks * 512);
    rig.store.read(3, blocks, stored);
    expect(bytesEqual(stored, dataOut)).toBe(true);
    expect(rig.violations).toEqual([]);
    expect(rig.machine.inspect().bufferedBytes).toBe(0);
  });
});

it('a limit of the target holds against what the initiator would like', () => {
  const rig = new Rig({ limits: { maxRecvDataSegmentLength: 4096, firstBurstLength: 4096, maxBurstLength: 8192 } });
  const client = new Client(rig).settle();
  const dataOut = random(100_352, 'limits');
  expect(client.execute(write10(0, 196), { dataOut }).status).toBe(Status.good);
  expect(bytesEqual(client.execute(read10(0, 196), { dataInLength: 100_352 }).data, dataOut)).toBe(true);
  expect(rig.violations).toEqual([]);
});

it.each([
  // blocks in the CDB, bytes expected, residual, bytes that arrive
  ['read', 2, 1024, 0, 1024],
  ['read', 2, 512, -512, 512],
  ['read', 2, 1536, 512, 1024],
  ['write', 2, 1024, 0, 1024],
  ['write', 2, 512, -512, 512],
  ['write', 1, 1024, 512, 512],
] as const)(
  'a %s of %i blocks with %i bytes expected has a residual of %i',
  (what, blocks, expected, residual, moved) => {
    const rig = new Rig();
    const client = new Client(rig).settle();
    if (what === 'read') {
      const response = client.execute(read10(0, blocks), { dataInLength: expected });
      expect([response.status, response.residual, response.data.length]).toEqual([Status.good, residual, moved]);
      return;
    }
    const dataOut = new Uint8Array(expected).fill(0x55);
    const response = client.execute(write10(8, blocks), { dataOut });
    expect([response.status, response.residual]).toEqual([Status.good, residual]);
    const stored = new Uint8Array(1536);
    rig.store.read(8, 3, stored);
    expect(stored.filter((byte) => byte === 0x55).length).toBe(moved);
  },
);

it('sense data comes with a response of its own', () => {
  const client = new Client(new Rig());
  const first = client.execute(testUnitReady());
  expect([first.status, senseText(senseOf(first.sense)!)]).toEqual([Status.checkCondition, '6/29/00']);
  const second = client.execute(read10(0xffff_ff00, 1), { dataInLength: 512 });
  expect([senseText(senseOf(second.sense)!), second.residual, second.data.length]).toEqual(['5/21/00', 512, 0]);
});

it('units that are there and units that are not', () => {
  const client = new Client(new Rig()).settle();
  expect(client.execute(reportLuns(), { dataInLength: 8192 }).data.length).toBe(16);
  expect(decodeInquiry(client.execute(inquiry(), { dataInLength: 255 }).data)?.vendor).toBe('Msft');
  const missing = client.execute(write10(0, 1), { dataOut: new Uint8Array(512), lun: 9 });
  expect(senseText(senseOf(missing.sense)!)).toBe('5/25/00');
});

it('more commands than the window has wait at the initiator', () => {
  const rig = new Rig({ limits: { commandWindow: 4 } });
  const client = new Client(rig).settle();
  const ids = Array.from({ length: 50 }, (_, i) => client.begin(write10(i, 1), { dataOut: random(512, `${i}`) }));
  expect(client.initiator.inspect().queued).toBeGreaterThan(40);
  client.run();
  expect(ids.map((id) => client.responseOf(id)?.status)).toEqual(ids.map(() => Status.good));
  expect(rig.violations).toEqual([]);
});

it('a service that takes time answers later, and out of order', () => {
  const rig = new Rig({
    targets: [{ name: TARGET, logicalUnits: [{ lun: 0, serial: 'SLOW-1', store: new Rig().store }] }],
  });
  const client = new Client(rig);
  const id = client.begin(testUnitReady());
  client.run();
  expect(client.responseOf(id)).toBeUndefined();
  rig.wait(SECOND);
  expect(client.responseOf(id)?.status).toBe(Status.checkCondition);
});

describe('task management', () => {
  const slow = (): Rig =>
    new Rig({ targets: [{ name: TARGET, logicalUnits: [{ lun: 0, serial: 'SLOW-1', store: new Rig().store }] }] });

  it.each([
    ['abort-task', 0],
    ['abort-task-set', 0],
    ['clear-task-set', 0],
    ['lun-reset', 0],
    ['warm-reset', 0],
  ] as const)('%s ends the command: no response comes', (name, response) => {
    const rig = slow();
    const client = new Client(rig);
    const command = client.begin(testUnitReady());
    client.run();
    client.step({ kind: 'task-management', id: 9, function: name, lun: 0, command });
    client.run();
    rig.wait(SECOND);
    expect(client.of('task-management-ended')).toEqual([{ kind: 'task-management-ended', id: 9, response }]);
    expect(client.responseOf(command)).toBeUndefined();
    expect(rig.violations).toEqual([]);
  });

  it.each([
    ['a command that is over', 'abort-task', 0, 1],
    ['a unit that is not there', 'lun-reset', 7, 2],
  ] as const)('%s', (_what, name, lun, response) => {
    const client = new Client(new Rig()).settle();
    client.step({ kind: 'task-management', id: 1, function: name, lun, command: 1 });
    client.run();
    expect(client.of('task-management-ended')[0]?.response).toBe(response);
  });

  it('a command that waits for the window is aborted before it is sent, and one that was aborted gives its place up', () => {
    const client = new Client(slow());
    const ids = Array.from({ length: 400 }, () => client.begin(testUnitReady()));
    client.run();
    const counts = () => client.initiator.inspect() as { readonly open: number; readonly queued: number };
    const { open, queued } = counts();
    expect(queued).toBeGreaterThan(0);
    client.step({ kind: 'task-management', id: 1, function: 'abort-task', lun: 0, command: ids.at(-1)! });
    expect(client.of('task-management-ended')).toEqual([{ kind: 'task-management-ended', id: 1, response: 0 }]);
    expect(counts()).toMatchObject({ open, queued: queued - 1 });
    client.step({ kind: 'task-management', id: 2, function: 'lun-reset', lun: 0 });
    client.run();
    expect(counts().open + counts().queued).toBe(queued - 1);
  });

  it('a cold reset closes every session of the target', () => {
    const rig = new Rig();
    const clients = ['800000000001', '800000000002'].map((isid) => new Client(rig, { isid }));
    clients[0]!.step({ kind: 'task-management', id: 1, function: 'cold-reset', lun: 0 });
    clients[0]!.run();
    expect([...rig.closed.values()]).toEqual(['cold-reset', 'cold-reset']);
  });
});

it('ports that left long ago are forgotten, those with a registration are not', () => {
  const rig = new Rig();
  const session = (isid: number): Client => new Client(rig, { isid: isid.toString(16).padStart(12, '8') });
  const leave = (client: Client): void => {
    client.step({ kind: 'logout' });
    client.run();
  };
  const registrant = session(1).settle();
  const { cdb, data } = persistentReserveOut(ReserveOut.register, 0, 0n, 1n);
  registrant.execute(cdb, { dataOut: data });
  leave(registrant);
  for (let isid = 2; isid < 1000; isid++) leave(session(isid));
  const { targets } = rig.machine.inspect() as { targets: { scsi: { nexuses: unknown[] } }[] };
  expect(targets[0]!.scsi.nexuses.length).toBe(257);
  expect(session(1).execute(cdb, { dataOut: data }).status).toBe(Status.checkCondition);
});

describe('the end of a session', () => {
  it('logout is answered, and the nexus is gone', () => {
    const rig = new Rig();
    const client = new Client(rig);
    client.step({ kind: 'logout' });
    client.run();
    expect(client.of('close')[0]?.reason).toBe('logged-out');
    expect(rig.factsOf('iscsi.session-ended').map(({ reason }) => reason)).toEqual(['logout']);
  });

  it('a connection that breaks is a lost nexus: the next login hears of it', () => {
    const rig = new Rig();
    const client = new Client(rig).settle();
    rig.step({ kind: 'closed', connection: client.connection });
    const again = new Client(rig).execute(testUnitReady());
    expect(senseText(senseOf(again.sense)!)).toBe('6/29/07');
    expect(rig.factsOf('iscsi.session-ended').map(({ reason }) => reason)).toEqual(['lost']);
  });

  it('a silent initiator is pinged, and dropped when it stays silent', () => {
    const rig = new Rig();
    const client = new Client(rig);
    rig.wait(61 * SECOND);
    client.run();
    rig.wait(40 * SECOND);
    expect(rig.closed.size).toBe(0);
    rig.wait(80 * SECOND);
    expect(rig.closed.get(client.connection)).toBe('no-answer-to-ping');
  });

  it('a silent target is pinged, and given up when it stays silent', () => {
    const rig = new Rig();
    const client = new Client(rig);
    rig.now = client.initiator.deadline();
    client.step({ kind: 'wake' });
    client.run();
    expect(client.of('close')).toEqual([]);
    rig.now = client.initiator.deadline();
    client.step({ kind: 'wake' });
    rig.now = client.initiator.deadline();
    client.step({ kind: 'wake' });
    expect(client.of('close')[0]?.reason).toBe('no-answer-to-ping');
  });

  it('a target that stops asks for logouts and drops who stays', () => {
    const rig = new Rig();
    const [first, second] = ['800000000001', '800000000002'].map((isid) => new Client(rig, { isid }));
    rig.step({ kind: 'stop' });
    rig.run();
    expect(first!.of('logout-requested')).toEqual([{ kind: 'logout-requested', seconds: 5 }]);
    first!.step({ kind: 'logout' });
    first!.run();
    rig.wait(6 * SECOND);
    expect([...rig.closed.values()]).toEqual(['logout', 'stopped']);
    expect(second!.of('logout-requested').length).toBe(1);
    expect(rig.closed.get(new Client(rig).connection)).toBe('stopped');
  });
});

it('discovery tells the targets, in as many pieces as it takes', () => {
  const targets = Array.from({ length: 40 }, (_, i) => ({ name: `${TARGET}-${i}`, logicalUnits: [] }));
  const rig = new Rig({ targets, portals: ['10.0.0.1:3260', '[fd00::1]:3260'] });
  const client = new Client(rig, { isDiscovery: true, wishes: { maxRecvDataSegmentLength: 512 } });
  client.step({ kind: 'send-targets' });
  client.run();
  expect(client.of('targets')[0]?.targets).toEqual(
    targets.map(({ name }) => ({ name, addresses: ['10.0.0.1:3260,1', '[fd00::1]:3260,1'] })),
  );
});

it('a command outside a session is the caller’s mistake', () => {
  const client = new Client(new Rig());
  client.step({ kind: 'closed' });
  expect(() => client.begin(testUnitReady())).toThrow(/expected full-feature/);
});

describe('a unit that got another size', () => {
  it('is told to each session at once, on one of its connections, and by a unit attention', () => {
    const rig = new Rig();
    const clients = ['800000000001', '800000000002'].map((isid) => new Client(rig, { isid }).settle());
    Object.assign(rig.store, { blocks: 2 * BLOCKS });
    rig.step({ kind: 'capacity-changed', target: TARGET, lun: 0 });
    for (const client of clients) {
      client.run();
      const told = client.of('unit-event').map(({ lun, sense }) => [lun, senseText(senseOf(sense)!)]);
      expect(told).toEqual([[0, '6/2A/09']]);
      expect(senseText(senseOf(client.execute(testUnitReady()).sense)!)).toBe('6/2A/09');
      expect(client.execute(read10(2 * BLOCKS - 1, 1), { dataInLength: 512 }).status).toBe(Status.good);
    }
    expect(rig.violations).toEqual([]);
  });

  it('a target or unit that is not there is the mistake of the driver', () => {
    const rig = new Rig();
    const other = 'iqn.2024-01.lab:other';
    expect(() => rig.step({ kind: 'capacity-changed', target: other, lun: 0 })).toThrow(
      `target ${other}: one of ${TARGET}`,
    );
    expect(() => rig.step({ kind: 'capacity-changed', target: TARGET, lun: 9 })).toThrow('LUN 9: one of 0');
  });
});
