import { asciiBytes } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PARAMETERS, type Parameters } from '../src/session/parameters.js';
import { decodeText, encodeText } from '../src/text/key-value.js';
import { OPERATIONAL_KEYS } from '../src/text/keys.js';
import { acceptAnswer, answerKey, offerOf } from '../src/text/negotiation.js';

const OURS: Parameters = {
  ...DEFAULT_PARAMETERS,
  headerDigest: true,
  maxConnections: 4,
  initialR2T: false,
  immediateData: true,
  maxRecvDataSegmentLength: 262_144,
  maxBurstLength: 1_048_576,
  firstBurstLength: 262_144,
  maxOutstandingR2T: 4,
};

it.each([
  // key                      offer            answer          what is settled
  ['HeaderDigest', 'CRC32C,None', 'CRC32C', { headerDigest: true }],
  ['HeaderDigest', 'None,CRC32C', 'None', { headerDigest: false }],
  ['HeaderDigest', 'SHA9', 'Reject', {}],
  ['DataDigest', 'CRC32C', 'Reject', {}],
  ['DataDigest', 'CRC32C,None', 'None', { dataDigest: false }],
  ['MaxConnections', '8', '4', { maxConnections: 4 }],
  ['MaxConnections', '2', '2', { maxConnections: 2 }],
  ['MaxConnections', '0', 'Reject', {}],
  ['InitialR2T', 'No', 'No', { initialR2T: false }],
  ['InitialR2T', 'Yes', 'Yes', { initialR2T: true }],
  ['InitialR2T', 'yes', 'Reject', {}],
  ['ImmediateData', 'No', 'No', { immediateData: false }],
  ['ImmediateData', 'Yes', 'Yes', { immediateData: true }],
  ['MaxRecvDataSegmentLength', '65536', undefined, { peerMaxRecvDataSegmentLength: 65_536 }],
  ['MaxRecvDataSegmentLength', '511', 'Reject', {}],
  ['MaxRecvDataSegmentLength', '16777216', 'Reject', {}],
  ['MaxBurstLength', '16776192', '1048576', { maxBurstLength: 1_048_576 }],
  ['MaxBurstLength', '0x10000', '65536', { maxBurstLength: 65_536 }],
  ['FirstBurstLength', '99999999999', 'Reject', {}],
  ['DefaultTime2Wait', '0', '2', { defaultTime2Wait: 2 }],
  ['DefaultTime2Retain', '0', '0', { defaultTime2Retain: 0 }],
  ['MaxOutstandingR2T', '1', '1', { maxOutstandingR2T: 1 }],
  ['DataPDUInOrder', 'No', 'Yes', { dataPduInOrder: true }],
  ['ErrorRecoveryLevel', '2', '0', { errorRecoveryLevel: 0 }],
  ['IFMarker', 'No', 'No', {}],
  ['OFMarkInt', '2048~8192', 'Reject', {}],
  ['TaskReporting', 'FastAbort', 'RFC3720', {}],
  ['X-com.example.key', '1', 'NotUnderstood', {}],
])('%s=%s is answered %s', (key, offer, answer, settled) => {
  const found = { ...DEFAULT_PARAMETERS };
  expect(answerKey(key, offer, OURS, found, false)).toBe(answer);
  expect(found).toEqual({ ...DEFAULT_PARAMETERS, ...settled });
});

it.each(['MaxConnections', 'InitialR2T', 'FirstBurstLength', 'MaxOutstandingR2T'])(
  '%s is irrelevant in discovery',
  (key) => {
    expect(answerKey(key, '1', OURS, { ...DEFAULT_PARAMETERS }, true)).toBe('Irrelevant');
  },
);

describe('the initiator', () => {
  it('accepts what a target makes of its offers, whatever the two want', () => {
    const wishes = fc.record({
      headerDigest: fc.boolean(),
      dataDigest: fc.boolean(),
      initialR2T: fc.boolean(),
      immediateData: fc.boolean(),
      maxConnections: fc.integer({ min: 1, max: 65_535 }),
      maxBurstLength: fc.integer({ min: 512, max: 0xff_ffff }),
      defaultTime2Wait: fc.integer({ min: 0, max: 3600 }),
      maxRecvDataSegmentLength: fc.integer({ min: 512, max: 0xff_ffff }),
    });
    fc.assert(
      fc.property(wishes, wishes, (ofInitiator, ofTarget) => {
        const initiator = { ...DEFAULT_PARAMETERS, ...ofInitiator };
        const target = { ...DEFAULT_PARAMETERS, ...ofTarget };
        const atInitiator = { ...DEFAULT_PARAMETERS };
        const atTarget = { ...DEFAULT_PARAMETERS };
        for (const [key, { rule }] of OPERATIONAL_KEYS) {
          const offer = offerOf(rule, initiator);
          if (offer === undefined) continue;
          const answer = answerKey(key, offer, target, atTarget, false) ?? `${target.maxRecvDataSegmentLength}`;
          expect(acceptAnswer(key, answer, initiator, atInitiator)).toBeUndefined();
        }
        const peer = { peerMaxRecvDataSegmentLength: 0 };
        expect({ ...atInitiator, ...peer }).toEqual({ ...atTarget, ...peer });
        expect(atInitiator.peerMaxRecvDataSegmentLength).toBe(target.maxRecvDataSegmentLength);
        expect(atTarget.peerMaxRecvDataSegmentLength).toBe(initiator.maxRecvDataSegmentLength);
      }),
    );
  });

  it.each([
    ['MaxBurstLength', '2097152'],
    ['DefaultTime2Wait', '1'],
    ['DataDigest', 'CRC32C'],
    ['DataPDUInOrder', 'No'],
    ['IFMarker', 'No'],
    ['Nonsense', '1'],
  ])('does not accept %s=%s', (key, answer) => {
    expect(acceptAnswer(key, answer, OURS, { ...DEFAULT_PARAMETERS })).toContain(key);
  });
});

describe('text', () => {
  it('what is written is read', () => {
    const pair = fc.tuple(fc.stringMatching(/^[A-Za-z0-9]{1,20}$/), fc.stringMatching(/^[A-Za-z0-9=,]{0,20}$/));
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        expect(decodeText(encodeText(pairs))).toEqual(pairs);
      }),
    );
  });

  it.each([
    ['a=1', [['a', '1']]],
    ['a=1\0\0\0', [['a', '1']]],
    ['a=b=c\0', [['a', 'b=c']]],
    ['a\0', undefined],
    ['=1\0', undefined],
    [`${'k'.repeat(64)}=1\0`, undefined],
  ])('%j', (text, pairs) => {
    expect(decodeText(asciiBytes(text))).toEqual(pairs);
  });
});
