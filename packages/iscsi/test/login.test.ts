import { asciiBytes, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { IscsiTarget } from '../src/index.js';
import { RawPeer, textOf } from './raw-peer.js';
import { Client, INITIATOR, Rig, TARGET } from './rig.js';

const WHO = { InitiatorName: INITIATOR, TargetName: TARGET };

it.each([
  // what                                  text                                            fields                 status
  ['a login straight to full feature phase', WHO, {}, '0000'],
  ['no InitiatorName', { TargetName: TARGET }, {}, '0207'],
  ['no TargetName', { InitiatorName: INITIATOR }, {}, '0207'],
  ['another target', { ...WHO, TargetName: 'iqn.2024-01.lab:none' }, {}, '0203'],
  ['a discovery session', { InitiatorName: INITIATOR, SessionType: 'Discovery' }, {}, '0000'],
  ['another session type', { ...WHO, SessionType: 'Other' }, {}, '0209'],
  ['a name that is none', { ...WHO, InitiatorName: 'a b' }, {}, '0200'],
  ['a later version', WHO, { versionMin: 1 }, '0205'],
  ['a session that is not there', WHO, { tsih: 77 }, '020a'],
  ['a stage that does not exist', WHO, { flags: 0x8b }, '0200'],
  ['a step backwards', WHO, { flags: 0x84 }, '0200'],
  ['T together with C', WHO, { flags: 0xc7 }, '0200'],
  ['only CHAP where nobody is asked', { ...WHO, AuthMethod: 'CHAP' }, { flags: 0x81 }, '0201'],
  ['a choice of methods', { ...WHO, AuthMethod: 'CHAP,None' }, { flags: 0x81 }, '0000'],
] as const)('%s', (_what, text, fields, status) => {
  const rig = new Rig();
  const peer = new RawPeer(rig);
  expect(peer.login(text, fields)!.status).toBe(status);
  expect(rig.closed.get(peer.connection)).toBe(status === '0000' ? undefined : 'login-refused');
  expect(rig.factsOf('iscsi.login-refused').map((fact) => fact.status)).toEqual(status === '0000' ? [] : [status]);
});

it('the first answer says the portal group, and every key is answered', () => {
  const peer = new RawPeer(new Rig());
  const answer = peer.login({
    ...WHO,
    HeaderDigest: 'None',
    MaxBurstLength: '65536',
    MaxRecvDataSegmentLength: '8192',
    'X-a': '1',
  });
  expect(textOf(answer!)).toBe(
    'TargetPortalGroupTag=1 HeaderDigest=None MaxBurstLength=65536 MaxRecvDataSegmentLength=262144 X-a=NotUnderstood',
  );
});

it('a key that is offered twice ends the login', () => {
  const peer = new RawPeer(new Rig());
  peer.login({ ...WHO, MaxBurstLength: '65536' }, { flags: 0x04 });
  expect(peer.login({ MaxBurstLength: '65536' })!.status).toBe('0200');
});

it('text may come in pieces', () => {
  const peer = new RawPeer(new Rig());
  const first = peer.login({ InitiatorName: INITIATOR }, { flags: 0x44 })!;
  expect([first.status, first.flags, first.data.length]).toEqual(['0000', 0x04, 0]);
  expect(peer.login({ TargetName: TARGET })!.tsih).not.toBe(0);
});

it('FirstBurstLength is at most MaxBurstLength', () => {
  const rig = new Rig();
  new RawPeer(rig).enter({ FirstBurstLength: '65536', MaxBurstLength: '4096' });
  expect(rig.factsOf('iscsi.logged-in')[0]!.parameters.firstBurstLength).toBe(4096);
});

describe('access', () => {
  const rig = (): Rig => new Rig({ targets: [{ name: TARGET, logicalUnits: [], initiators: [INITIATOR] }] });

  it.each([
    [INITIATOR, '0000'],
    ['iqn.2024-01.lab:my-vm2', '0202'],
  ])('%s', (name, status) => {
    expect(new RawPeer(rig()).login({ ...WHO, InitiatorName: name })!.status).toBe(status);
  });

  it('discovery shows only what the initiator may log in to', () => {
    const targets = [TARGET, `${TARGET}2`].map((name, i) => {
      return { name, logicalUnits: [], ...(i === 1 ? { initiators: ['iqn.x:other'] } : {}) };
    });
    const peer = new RawPeer(new Rig({ targets }));
    peer.login({ InitiatorName: INITIATOR, SessionType: 'Discovery' });
    const [answer] = peer.request(0x04, 0x80, 1, asciiBytes('SendTargets=All\0'));
    expect(textOf(answer!)).toBe(`TargetName=${TARGET} TargetAddress=10.0.0.250:3260,1`);
  });
});

describe('limits', () => {
  it('a connection that does not log in is dropped after 15 s', () => {
    const rig = new Rig();
    const peer = new RawPeer(rig);
    rig.wait(14 * SECOND);
    expect(rig.closed.size).toBe(0);
    rig.wait(2 * SECOND);
    expect(rig.closed.get(peer.connection)).toBe('login-timeout');
  });

  it('a flood of connections is cut, and who is logged in does not notice', () => {
    const rig = new Rig({ limits: { halfOpenConnections: 4 } });
    const client = new Client(rig).settle();
    const peers = Array.from({ length: 20 }, () => new RawPeer(rig));
    const dropped = peers.filter(({ connection }) => rig.closed.get(connection) === 'too-many-connections');
    expect(dropped.length).toBe(16);
    expect(client.execute(new Uint8Array(6)).status).toBe(0);
  });

  it('sessions', () => {
    const rig = new Rig({ limits: { sessions: 2 } });
    const statuses = [1, 2, 3].map((isid) => new RawPeer(rig).login(WHO, { isid })!.status);
    expect(statuses).toEqual(['0000', '0000', '0302']);
  });

  it('rounds of a login', () => {
    const peer = new RawPeer(new Rig());
    let last = '';
    for (let i = 0; i < 40 && last !== '0200'; i++) last = peer.login(i === 0 ? WHO : {}, { flags: 0x04 })!.status;
    expect(last).toBe('0200');
  });

  it.each([
    ['what is no login', 0x01, 'not-a-login'],
    ['text without end', 0x43, 'login-refused'],
  ])('%s', (_what, opcode, reason) => {
    const rig = new Rig();
    const peer = new RawPeer(rig);
    for (let i = 0; i < 40; i++) peer.send(opcode, 0x44, () => {}, new Uint8Array(1000).fill(0x61));
    expect(rig.closed.get(peer.connection)).toBe(reason);
  });
});

describe('sessions', () => {
  it('the same initiator port again takes the place of its old session', () => {
    const rig = new Rig();
    const old = new RawPeer(rig).enter();
    const other = new RawPeer(rig).enter({}, { isid: 2 });
    new RawPeer(rig).enter();
    expect(rig.closed.get(old.connection)).toBe('session-reinstated');
    expect(rig.closed.has(other.connection)).toBe(false);
    expect(rig.factsOf('iscsi.session-ended').map(({ reason }) => reason)).toEqual(['reinstated']);
  });

  it('a session has as many connections as were settled', () => {
    const rig = new Rig();
    const first = new RawPeer(rig);
    const { tsih } = first.login({ ...WHO, MaxConnections: '2' }, { cid: 1 })!;
    const statuses = [2, 3].map((cid) => new RawPeer(rig).login(WHO, { tsih, cid })!.status);
    expect(statuses).toEqual(['0000', '0206']);
    expect(new RawPeer(rig).login(WHO, { tsih, cid: 2 })!.status).toBe('0000');
    expect([...rig.closed.values()]).toEqual(['login-refused', 'connection-reinstated']);
    expect(rig.machine.inspect().sessions).toMatchObject([{ connections: 2 }]);
  });
});

it.each([
  ['a name that is none', { targets: [{ name: 'disks', logicalUnits: [] }] }, /iSCSI name/],
  ['one name twice', { targets: [TARGET, TARGET].map((name) => ({ name, logicalUnits: [] })) }, /every name once/],
  ['a limit of 0', { targets: [], limits: { sessions: 0 } }, /more than 0/],
  ['no room for the largest command', { targets: [], limits: { bufferedBytes: 1024 } }, /at least/],
  ['a portal group of 0', { targets: [{ name: TARGET, logicalUnits: [], portalGroupTag: 0 }] }, /1 to 65535/],
])('a target refuses %s', (_what, config, message) => {
  expect(() => new IscsiTarget({ ...config, world: { choices: () => ({}) as never } })).toThrow(message);
});
