import type { Parameters } from '../session/parameters.js';

type NumberParameter = {
  [K in keyof Parameters]: Parameters[K] extends number ? K : never;
}[keyof Parameters];

type BooleanParameter = {
  [K in keyof Parameters]: Parameters[K] extends boolean ? K : never;
}[keyof Parameters];

/** How the two sides come to one value. */
export type KeyRule =
  /** Each side takes what the other declares for its own direction. */
  | { readonly kind: 'declared'; readonly least: number; readonly most: number }
  | {
      readonly kind: 'number';
      readonly pick: 'min' | 'max';
      readonly parameter: NumberParameter;
      readonly least: number;
      readonly most: number;
    }
  | { readonly kind: 'boolean'; readonly pick: 'and' | 'or'; readonly parameter: BooleanParameter }
  /** The first of the offered list that the answering side supports: None or CRC32C. */
  | { readonly kind: 'digest'; readonly parameter: 'headerDigest' | 'dataDigest' }
  /** Answered so, and without effect. */
  | { readonly kind: 'fixed'; readonly answer: string };

export interface KeyDefinition {
  readonly rule: KeyRule;
  /** Has no meaning in a discovery session. */
  readonly isIrrelevantInDiscovery?: boolean;
}

const number = (pick: 'min' | 'max', parameter: NumberParameter, least: number, most: number): KeyRule => ({
  kind: 'number',
  pick,
  parameter,
  least,
  most,
});
const boolean = (pick: 'and' | 'or', parameter: BooleanParameter): KeyRule => ({ kind: 'boolean', pick, parameter });

const MAX_LENGTH = 0xff_ffff;

/** The operational keys and how each is negotiated. Source: RFC 7143, 13; IFMarker and OFMarker: RFC 3720, A.3. */
export const OPERATIONAL_KEYS: ReadonlyMap<string, KeyDefinition> = new Map<string, KeyDefinition>([
  ['HeaderDigest', { rule: { kind: 'digest', parameter: 'headerDigest' } }],
  ['DataDigest', { rule: { kind: 'digest', parameter: 'dataDigest' } }],
  ['MaxConnections', { rule: number('min', 'maxConnections', 1, 65_535), isIrrelevantInDiscovery: true }],
  ['InitialR2T', { rule: boolean('or', 'initialR2T'), isIrrelevantInDiscovery: true }],
  ['ImmediateData', { rule: boolean('and', 'immediateData'), isIrrelevantInDiscovery: true }],
  ['MaxRecvDataSegmentLength', { rule: { kind: 'declared', least: 512, most: MAX_LENGTH } }],
  ['MaxBurstLength', { rule: number('min', 'maxBurstLength', 512, MAX_LENGTH), isIrrelevantInDiscovery: true }],
  ['FirstBurstLength', { rule: number('min', 'firstBurstLength', 512, MAX_LENGTH), isIrrelevantInDiscovery: true }],
  ['DefaultTime2Wait', { rule: number('max', 'defaultTime2Wait', 0, 3600) }],
  ['DefaultTime2Retain', { rule: number('min', 'defaultTime2Retain', 0, 3600) }],
  ['MaxOutstandingR2T', { rule: number('min', 'maxOutstandingR2T', 1, 65_535), isIrrelevantInDiscovery: true }],
  ['DataPDUInOrder', { rule: boolean('or', 'dataPduInOrder'), isIrrelevantInDiscovery: true }],
  ['DataSequenceInOrder', { rule: boolean('or', 'dataSequenceInOrder'), isIrrelevantInDiscovery: true }],
  ['ErrorRecoveryLevel', { rule: number('min', 'errorRecoveryLevel', 0, 2) }],
  ['IFMarker', { rule: { kind: 'fixed', answer: 'No' } }],
  ['OFMarker', { rule: { kind: 'fixed', answer: 'No' } }],
  ['IFMarkInt', { rule: { kind: 'fixed', answer: 'Reject' } }],
  ['OFMarkInt', { rule: { kind: 'fixed', answer: 'Reject' } }],
  ['TaskReporting', { rule: { kind: 'fixed', answer: 'RFC3720' } }],
]);
