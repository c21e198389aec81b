import { asciiBytes, hex } from '@quorate/kernel';
import { IMMEDIATE_SERVICE, read10, SparseStore, testUnitReady, write10 } from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import { RawPeer, type Received, senseIn, textOf } from './raw-peer.js';
import { INITIATOR, Rig, TARGET } from './rig.js';

const NO_TAG = 0xffff_ffff;
const WRITE = 0xa0;
const READ = 0xc0;
/** A write of which more comes unsolicited: F is 0. */
const WRITE_MORE = 0x20;
const BLOCK = new Uint8Array(512).fill(0x5a);

function peerAt(rig: Rig, text: Readonly<Record<string, string>> = {}): RawPeer {
  const peer = new RawPeer(rig).enter({ InitialR2T: 'No', ...text });
  peer.command(1, testUnitReady());
  return peer;
}

function written(rig: Rig): number {
  const bytes = new Uint8Array(64 * 512);
  rig.store.read(0, 64, bytes);
  return bytes.filter((byte) => byte !== 0).length;
}

/** Opcode, and status or reason. */
function brief(answers: readonly Received[]): string[] {
  return answers.map(
    ({ opcode, byte2, byte3 }) => `${opcode.toString(16)}/${(opcode === 0x3f ? byte2 : byte3).toString(16)}`,
  );
}

describe('the order of CmdSN', () => {
  it.each([
    ['before the window', -1],
    ['behind the window', 128],
  ])('a command %s is dropped without a word', (_what, distance) => {
    const rig = new Rig();
    const peer = peerAt(rig);
    expect(peer.command(2, testUnitReady(), { cmdSn: peer.cmdSn + distance })).toEqual([]);
    expect(brief(peer.command(3, testUnitReady()))).toEqual(['21/0']);
    expect(rig.closed.size).toBe(0);
  });

  it('a command that comes early waits for those before it, with its data', () => {
    const rig = new Rig();
    const peer = peerAt(rig);
    const { cmdSn } = peer;
    expect(
      peer.command(3, write10(1, 2), { cmdSn: cmdSn + 1, flags: WRITE_MORE, expected: 1024, data: BLOCK }),
    ).toEqual([]);
    expect(peer.dataOut(3, NO_TAG, 0, 512, BLOCK)).toEqual([]);
    expect(peer.command(4, testUnitReady(), { cmdSn: cmdSn + 2 })).toEqual([]);
    const answers = peer.command(2, testUnitReady(), { cmdSn });
    expect(answers.map(({ tag }) => tag)).toEqual([2, 3, 4]);
    expect(answers.at(-1)!.expCmdSn).toBe(cmdSn + 3);
    expect(written(rig)).toBe(1024);
  });

  it('goes through the connections of a session', () => {
    const rig = new Rig();
    const first = new RawPeer(rig);
    const { tsih } = first.login(
      { InitiatorName: INITIATOR, TargetName: TARGET, MaxConnections: '2', InitialR2T: 'No' },
      { cid: 1 },
    )!;
    first.command(1, testUnitReady());
    const second = new RawPeer(rig).enter({ InitialR2T: 'No' }, { tsih, cid: 2 });
    const before = first.received.length;
    expect(second.command(8, write10(1, 1), { cmdSn: 3, flags: WRITE_MORE, expected: 512 })).toEqual([]);
    expect(second.dataOut(8, NO_TAG, 0, 0, BLOCK)).toEqual([]);
    expect(brief(first.command(7, testUnitReady(), { cmdSn: 2 }))).toEqual(['21/0']);
    expect(first.received.length).toBe(before + 1);
    expect(second.received.at(-1)).toMatchObject({ opcode: 0x21, tag: 8, byte3: 0, expCmdSn: 4 });
    expect(written(rig)).toBe(512);
    rig.step({ kind: 'closed', connection: second.connection });
    expect(brief(first.command(9, testUnitReady(), { cmdSn: 4 }))).toEqual(['21/0']);
    expect(rig.violations).toEqual([]);
  });

  it('the window closes by open commands and opens by their answers', () => {
    const rig = new Rig({ limits: { commandWindow: 4 } });
    const peer = peerAt(rig);
    const { cmdSn } = peer;
    for (let i = 0; i < 6; i++)
      peer.command(10 + i, write10(0, 1), { cmdSn: cmdSn + i, flags: WRITE_MORE, expected: 512 });
    expect(rig.machine.inspect().sessions).toMatchObject([{ tasks: 4 }]);
    const [answer] = peer.dataOut(10, NO_TAG, 0, 0, BLOCK);
    expect([answer!.expCmdSn, answer!.maxCmdSn]).toEqual([cmdSn + 4, cmdSn + 4]);
  });
});

describe('Data-Out', () => {
  it.each([
    // what                          DataSN and offset of each PDU                       sense
    [
      'in order',
      [
        [0, 0],
        [1, 512],
        [2, 1024],
      ],
      '',
    ],
    [
      'a DataSN twice',
      [
        [0, 0],
        [0, 512],
        [1, 1024],
      ],
      '0b/4b05',
    ],
    [
      'a gap',
      [
        [0, 0],
        [2, 512],
        [3, 1024],
      ],
      '0b/4b05',
    ],
    [
      '27',
      [
        [27, 0],
        [28, 512],
        [29, 1024],
      ],
      '0b/4b05',
    ],
    [
      '-1',
      [
        [0xffff_ffff, 0],
        [0, 512],
        [1, 1024],
      ],
      '0b/4b05',
    ],
    [
      'backwards',
      [
        [2, 1024],
        [1, 512],
        [0, 0],
      ],
      '0b/4b05',
    ],
    [
      'an offset that was',
      [
        [0, 0],
        [1, 0],
        [2, 1024],
      ],
      '0b/4b05',
    ],
    [
      'an offset beyond',
      [
        [0, 0],
        [1, 0xffff_fe00],
        [2, 1024],
      ],
      '0b/4b05',
    ],
  ] as const)('%s', (_what, pdus, sense) => {
    const rig = new Rig();
    const peer = peerAt(rig);
    expect(peer.command(2, write10(0, 3), { flags: WRITE_MORE, expected: 1536 })).toEqual([]);
    const answers = pdus.flatMap(([dataSn, offset], i) => peer.dataOut(2, NO_TAG, dataSn, offset, BLOCK, i === 2));
    expect(answers.map(senseIn)).toEqual([sense]);
    expect(brief(answers)).toEqual([sense === '' ? '21/0' : '21/2']);
    expect(written(rig)).toBe(sense === '' ? 1536 : 0);
    expect(rig.violations).toEqual([]);
  });

  it('R2Ts ask for what is missing, in their order and no more than were settled', () => {
    const peer = peerAt(new Rig(), {
      InitialR2T: 'Yes',
      ImmediateData: 'No',
      MaxBurstLength: '1024',
      MaxOutstandingR2T: '2',
    });
    const r2ts = [...peer.command(2, write10(0, 7), { flags: WRITE, expected: 3584 })];
    expect(r2ts.map(({ opcode, word36, word40, word44 }) => [opcode, word36, word40, word44])).toEqual([
      [0x31, 0, 0, 1024],
      [0x31, 1, 1024, 1024],
    ]);
    const next = peer.dataOut(2, r2ts[0]!.transferTag, 0, 0, new Uint8Array(1024).fill(1));
    expect(next.map(({ word36, word40 }) => [word36, word40])).toEqual([[2, 2048]]);
    const last = peer.dataOut(2, r2ts[1]!.transferTag, 0, 1024, new Uint8Array(1024).fill(2));
    expect(last.map(({ word40, word44 }) => [word40, word44])).toEqual([[3072, 512]]);
    expect(peer.dataOut(2, last[0]!.transferTag, 0, 3072, BLOCK)).toEqual([]);
    expect(brief(peer.dataOut(2, next[0]!.transferTag, 0, 2048, new Uint8Array(1024).fill(3)))).toEqual(['21/0']);
  });

  it.each([
    ['shorter than asked for', 256, '0b/0c0d'],
    ['longer than asked for', 1024, '0b/4b02'],
  ])('an answer to an R2T that is %s', (_what, length, sense) => {
    const rig = new Rig();
    const peer = peerAt(rig, { ImmediateData: 'No', InitialR2T: 'Yes' });
    const [r2t] = peer.command(2, write10(0, 1), { flags: WRITE, expected: 512 });
    expect(peer.dataOut(2, r2t!.transferTag, 0, 0, new Uint8Array(length).fill(1)).map(senseIn)).toEqual([sense]);
    expect(written(rig)).toBe(0);
  });

  it.each([
    ['immediate data that was not settled', { ImmediateData: 'No' }, WRITE, BLOCK, 512],
    ['unsolicited data that was not settled', { InitialR2T: 'Yes' }, WRITE_MORE, new Uint8Array(0), 512],
  ])('%s ends the command', (_what, text, flags, data, expected) => {
    const peer = peerAt(new Rig(), text);
    const answers = [...peer.command(2, write10(0, 1), { flags, expected, data })];
    if (flags === WRITE_MORE) answers.push(...peer.dataOut(2, NO_TAG, 0, 0, BLOCK));
    expect(answers.map(senseIn)).toEqual(['0b/0c0c']);
  });

  it('the sense data of a command that the transport ends is in the format that D_SENSE chose', () => {
    const store = new SparseStore({ blocks: 64 });
    const unit = { lun: 0, serial: 'D-SENSE', store, service: IMMEDIATE_SERVICE, hasDescriptorSense: true };
    const peer = peerAt(new Rig({ targets: [{ name: TARGET, logicalUnits: [unit] }] }));
    const answer = ({ data }: { readonly data: Uint8Array }): string => hex(data.subarray(2));
    expect(peer.command(2, write10(0, 1), { flags: WRITE, expected: 100, data: BLOCK }).map(answer)).toEqual([
      '720b4b0200000000',
    ]);
    expect(peer.command(3, write10(0, 1), { lun: 9, flags: WRITE, expected: 100, data: BLOCK }).map(answer)).toEqual([
      '70000b000000000a000000004b0200000000',
    ]);
  });

  it('more immediate data than expected ends the command', () => {
    const rig = new Rig();
    const peer = peerAt(rig);
    const answers = peer.command(2, write10(0, 1), { flags: WRITE, expected: 100, data: BLOCK });
    expect(answers.map(senseIn)).toEqual(['0b/4b02']);
    expect(written(rig)).toBe(0);
  });

  it('a read with the W bit takes the data and throws it away', () => {
    const rig = new Rig();
    const peer = peerAt(rig);
    expect(brief(peer.command(2, read10(0, 1), { flags: WRITE, expected: 512, data: BLOCK }))).toEqual(['21/0']);
    expect(peer.command(3, read10(0, 1), { flags: WRITE_MORE, expected: 512 })).toEqual([]);
    expect(brief(peer.dataOut(3, NO_TAG, 0, 0, BLOCK))).toEqual(['21/0']);
    expect(written(rig)).toBe(0);
  });

  it('data of nobody is rejected, data of an aborted command is not', () => {
    const rig = new Rig();
    const peer = peerAt(rig);
    expect(brief(peer.dataOut(77, NO_TAG, 0, 0, BLOCK))).toEqual(['3f/4']);
    peer.command(2, write10(0, 1), { flags: WRITE_MORE, expected: 512 });
    expect(peer.dataOut(2, 5, 0, 0, BLOCK).map(({ opcode }) => opcode)).toEqual([0x3f]);
    expect(peer.manage(1, 90, 2).map(({ opcode, byte2 }) => [opcode, byte2])).toEqual([[0x22, 0]]);
    expect(peer.dataOut(2, NO_TAG, 0, 0, BLOCK)).toEqual([]);
    expect(written(rig)).toBe(0);
    expect(rig.machine.inspect().bufferedBytes).toBe(0);
  });

  it('what has no room waits when it is solicited, and is refused when it is not', () => {
    const rig = new Rig({ limits: { dataOutBytes: 8192, bufferedBytes: 32_768 } });
    const peer = peerAt(rig, { ImmediateData: 'No', InitialR2T: 'Yes' });
    const [first, ...others] = [2, 3, 4, 5, 6].flatMap((tag) =>
      peer.command(tag, write10(16 * tag, 16), { flags: WRITE, expected: 8192 }),
    );
    expect(others.map(({ tag }) => tag)).toEqual([3, 4, 5]);
    const other = new RawPeer(rig).enter({ InitialR2T: 'No' }, { isid: 2 });
    other.command(1, testUnitReady());
    other.command(2, write10(0, 1), { flags: WRITE_MORE, expected: 512 });
    expect(brief(other.dataOut(2, NO_TAG, 0, 0, BLOCK))).toEqual(['21/28']);
    const answers = peer.dataOut(2, first!.transferTag, 0, 0, new Uint8Array(8192).fill(1));
    expect(brief(answers)).toEqual(['21/0', '31/0']);
  });

  it('requests that are held have a limit', () => {
    const rig = new Rig({ limits: { heldBytes: 2000 } });
    const peer = peerAt(rig);
    for (let i = 1; i < 5; i++)
      peer.command(i + 1, write10(0, 1), { cmdSn: 2 + i, flags: WRITE, expected: 512, data: BLOCK });
    expect(rig.closed.get(peer.connection)).toBe('held-too-much');
  });
});

describe('Data-In', () => {
  it('bursts end with F, the last PDU carries the status', () => {
    const peer = peerAt(new Rig(), { MaxRecvDataSegmentLength: '512', MaxBurstLength: '1024' });
    const answers = peer.command(2, read10(0, 5), { flags: READ, expected: 2560 });
    expect(answers.map(({ opcode, flags, word36, word40 }) => [opcode, flags, word36, word40])).toEqual([
      [0x25, 0, 0, 0],
      [0x25, 0x80, 1, 512],
      [0x25, 0, 2, 1024],
      [0x25, 0x80, 3, 1536],
      [0x25, 0x81, 4, 2048],
    ]);
  });

  it('waits until the answers get away', () => {
    const rig = new Rig({ limits: { unsentBytes: 100_000 } });
    const peer = peerAt(rig);
    const outputs: string[] = [];
    const reads: Uint8Array[] = [];
    for (let i = 0; i < 20; i++) reads.push(readPdu(10 + i, peer.cmdSn + i));
    const all = new Uint8Array(reads.length * 48);
    reads.forEach((bytes, i) => {
      all.set(bytes, 48 * i);
    });
    let unsent = 0;
    const note = (output: Parameters<Parameters<typeof rig.target.step>[2]>[0]): void => {
      if (output.kind === 'send') unsent += output.bytes.length;
      else outputs.push(output.kind);
    };
    rig.target.step(0, { kind: 'received', connection: peer.connection, bytes: all }, note);
    expect(outputs).toEqual(['pause']);
    expect(unsent).toBeLessThan(200_000);
    let total = 0;
    while (unsent > 0) {
      total += unsent;
      const bytes = unsent;
      unsent = 0;
      rig.target.step(0, { kind: 'sent', connection: peer.connection, bytes }, note);
    }
    expect(total).toBeGreaterThan(20 * 32_768);
    expect(outputs.at(-1)).toBe('resume');
  });
});

/** A READ(10) of 32 KiB. */
function readPdu(tag: number, cmdSn: number): Uint8Array {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x01;
  bytes[1] = READ;
  view.setUint32(16, tag);
  view.setUint32(20, 32_768);
  view.setUint32(24, cmdSn);
  bytes.set(read10(0, 64), 32);
  return bytes;
}

describe('other requests', () => {
  it.each([
    // what                         opcode flags  reason
    ['SNACK', 0x10, 0x80, '3f/3'],
    ['a command both ways', 0x01, 0xe0, '3f/5'],
  ])('%s is rejected', (_what, opcode, flags, answer) => {
    expect(brief(peerAt(new Rig()).request(opcode, flags, 5))).toEqual([answer]);
  });

  it('a task tag that is in use is rejected', () => {
    const peer = peerAt(new Rig());
    peer.command(2, write10(0, 1), { flags: WRITE_MORE, expected: 512 });
    expect(brief(peer.command(2, testUnitReady()))).toEqual(['3f/7']);
  });

  it.each([
    ['a login', 0x43, 'login-after-login'],
    ['an opcode that nobody knows', 0x1f, 'unknown-opcode'],
    ['an opcode of targets', 0x25, 'unknown-opcode'],
  ])('%s ends the connection, and no other', (_what, opcode, reason) => {
    const rig = new Rig();
    const other = peerAt(rig);
    const peer = new RawPeer(rig).enter({}, { isid: 9 });
    peer.send(opcode, 0x80, () => {});
    expect([...rig.closed]).toEqual([[peer.connection, reason]]);
    expect(brief(other.command(5, testUnitReady()))).toEqual(['21/0']);
  });

  it('NOP-Out comes back with its data, as much as the initiator takes', () => {
    const peer = peerAt(new Rig(), { MaxRecvDataSegmentLength: '512' });
    const [answer] = peer.request(0x00, 0x80, 7, new Uint8Array(1000).fill(7));
    expect([answer!.opcode, answer!.tag, answer!.data.length]).toEqual([0x20, 7, 512]);
    expect(peer.send(0x40, 0x80, (writer) => writer.u32(16, NO_TAG).u32(20, 1))).toEqual([]);
  });

  it.each([
    ['SendTargets=', `TargetName=${TARGET} TargetAddress=10.0.0.250:3260,1`],
    [`SendTargets=${TARGET}`, `TargetName=${TARGET} TargetAddress=10.0.0.250:3260,1`],
    ['SendTargets=All', 'SendTargets=Reject'],
    ['SendTargets=iqn.2024-01.lab:none', ''],
    ['Nonsense=1', 'Nonsense=NotUnderstood'],
  ])('in a normal session %s', (text, answer) => {
    expect(textOf(peerAt(new Rig()).request(0x04, 0x80, 3, asciiBytes(`${text}\0`))[0]!)).toBe(answer);
  });

  it.each([
    // function             response
    ['CLEAR ACA', 3, 0],
    ['TASK REASSIGN', 8, 4],
    ['a function of the future', 20, 5],
  ])('%s', (_what, code, response) => {
    expect(peerAt(new Rig()).manage(code, 50)[0]!.byte2).toBe(response);
  });

  it('ABORT TASK of a command that is on its way counts as done', () => {
    const peer = peerAt(new Rig());
    expect(peer.manage(1, 50, 99, peer.cmdSn + 3)[0]!.byte2).toBe(0);
    expect(peer.manage(1, 51, 99, peer.cmdSn - 1)[0]!.byte2).toBe(1);
  });

  it.each([
    ['recovery', 2, 2],
    ['a connection that is not there', 1, 1],
  ])('a logout for %s is refused', (_what, reason, response) => {
    const rig = new Rig();
    const put = (peer: RawPeer) => peer.send(0x46, 0x80 | reason, (writer) => writer.u32(16, 4).u16(20, 99));
    expect(put(peerAt(rig))[0]!.byte2).toBe(response);
    expect(rig.closed.size).toBe(0);
  });
});
