import { beforeAll, describe, expect, it } from 'vitest';
import { lacksPrograms } from '../../oracle.js';
import { runSession, type Session, steps } from './iscsi-session.js';
import { fileOf, tsharkFields } from './tshark.js';

const GOOD = 0x00;
const CHECK_CONDITION = 0x02;
const RESERVATION_CONFLICT = 0x18;
/** How the last four commands end. */
const REFUSED = [CHECK_CONDITION, RESERVATION_CONFLICT, CHECK_CONDITION, CHECK_CONDITION];

it('two nodes do what they set out to do', () => {
  const { statuses } = runSession(() => {});
  expect(statuses).toHaveLength(steps().length);
  expect(statuses.slice(0, 2)).toEqual([CHECK_CONDITION, CHECK_CONDITION]);
  expect(statuses.slice(2, -REFUSED.length).filter((status) => status !== GOOD)).toEqual([]);
  expect(statuses.slice(-REFUSED.length)).toEqual(REFUSED);
});

const FIELDS = [
  '_ws.malformed',
  '_ws.expert.message',
  'iscsi.opcode',
  'iscsi.scsiresponse.status',
  'scsi.sns.ascascq',
  'scsi.persresvout.svcaction',
  'scsi.persresv.type',
  'scsi.persresv.reskey',
  'scsi.persresv.sareskey',
] as const;

const lacks = lacksPrograms('tshark');

describe.skipIf(lacks !== undefined)(`tshark reads it${lacks === undefined ? '' : ` (${lacks})`}`, () => {
  let session: Session;
  let rows: readonly (readonly string[])[];

  beforeAll(() => {
    const file = fileOf((sink) => {
      session = runSession(sink);
    });
    rows = tsharkFields(file, [], FIELDS);
  });

  /** Values of a field in all packets, in their order. */
  const column = (field: (typeof FIELDS)[number]): readonly string[] =>
    rows.flatMap((row) => row[FIELDS.indexOf(field)]!.split(',')).filter((value) => value !== '');

  it('and finds nothing malformed, and nothing strange in TCP but that it begins and ends', () => {
    expect(column('_ws.malformed')).toEqual([]);
    expect(
      column('_ws.expert.message').filter((text) => !/^(Connection (establish|finish)|This frame) /.test(text)),
    ).toEqual([]);
  });

  it('as the PDUs that we sent, in their order', () => {
    expect(column('iscsi.opcode').map(Number)).toEqual(session.pdus);
    // Login, command, Data-Out, R2T, Data-In, response, task management and logout are among them.
    expect([...new Set(session.pdus)].sort((a, b) => a - b)).toEqual([
      0x01, 0x02, 0x03, 0x05, 0x06, 0x21, 0x22, 0x23, 0x25, 0x26, 0x31,
    ]);
  });

  it('with status and sense of every command', () => {
    expect(column('iscsi.scsiresponse.status').map(Number)).toEqual(session.statuses);
    // Power on, twice; no sense; registrations preempted; no such opcode; no such block.
    expect(column('scsi.sns.ascascq')).toEqual(['0x2900', '0x2900', '0x0000', '0x2a05', '0x2000', '0x2100']);
  });

  it('and the keys of PERSISTENT RESERVE OUT', () => {
    expect(column('scsi.persresvout.svcaction')).toEqual(['0x06', '0x06', '0x01', '0x05']);
    expect(column('scsi.persresv.reskey').map((key) => Number(`0x${key}`))).toEqual([0, 0, 0x63d20002, 0x63d20001]);
    expect(column('scsi.persresv.sareskey').map((key) => Number(`0x${key}`))).toEqual([
      0x63d20001, 0x63d20002, 0, 0x63d20002,
    ]);
    // Of RESERVE, of what READ RESERVATION gives, of PREEMPT AND ABORT.
    expect(column('scsi.persresv.type')).toEqual(['0x05', '0x05', '0x05']);
  });
});
