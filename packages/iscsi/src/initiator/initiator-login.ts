import type { Choices } from '@quorate/kernel';
import {
  CHAP_ALGORITHMS,
  type Challenge,
  type ChapSecret,
  chapResponse,
  chooseAlgorithm,
  decodeBinary,
  encodeBinary,
  isRightResponse,
  newChallenge,
} from '../chap/chap.js';
import { LoginStatus } from '../login/login-status.js';
import { LoginFlag, Stage } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { DEFAULT_PARAMETERS, type Parameters } from '../session/parameters.js';
import { decodeText, encodeText, type KeyValues, TextBuffer } from '../text/key-value.js';
import { OPERATIONAL_KEYS } from '../text/keys.js';
import { acceptAnswer, answerKey, offerOf } from '../text/negotiation.js';

export interface InitiatorLoginConfig {
  /** iSCSI name of this initiator. */
  readonly initiator: string;
  /** Undefined asks for a discovery session. */
  readonly target: string | undefined;
  /** What this side would like. */
  readonly ours: Readonly<Parameters>;
  /** Name and secret that the target knows of us; none are offered when left out. */
  readonly user: ChapSecret | undefined;
  /** What the target is to prove itself with. */
  readonly mutual: ChapSecret | undefined;
  readonly choices: Choices;
}

/** A Login Request to send. */
export interface LoginRequest {
  readonly kind: 'request';
  /** T, C, CSG and NSG. */
  readonly flags: number;
  readonly text: Uint8Array;
}

export type LoginStep =
  | LoginRequest
  | { readonly kind: 'done' }
  /** `status` is class and detail of the target's answer, or 0 when it is we who give up. */
  | { readonly kind: 'failed'; readonly status: number; readonly why: string };

class Failure extends Error {}

/** Keys of the target that want no answer. */
const DECLARATIONS: ReadonlySet<string> = new Set([
  'TargetPortalGroupTag',
  'TargetAlias',
  'TargetAddress',
  'AuthMethod',
]);

const KEY_ROUNDS = 16;

/** The initiator's side of one login: says who it is, proves it where asked, and offers every operational key. */
export class InitiatorLogin {
  readonly settled: Parameters;
  readonly #config: InitiatorLoginConfig;
  readonly #text = new TextBuffer();
  readonly #offered = new Set<string>();
  #stage: number = Stage.security;
  #rounds = 0;
  #chap: 'none' | 'method' | 'algorithm' | 'proof' = 'none';
  /** Our own challenge, when the target is to prove itself. */
  #challenge: Challenge | undefined;

  constructor(config: InitiatorLoginConfig) {
    this.#config = config;
    this.settled = { ...DEFAULT_PARAMETERS, maxRecvDataSegmentLength: config.ours.maxRecvDataSegmentLength };
  }

  begin(): LoginRequest {
    const { initiator, target, user } = this.#config;
    const pairs: (readonly [string, string])[] = [
      ['InitiatorName', initiator],
      ['SessionType', target === undefined ? 'Discovery' : 'Normal'],
    ];
    if (target !== undefined) pairs.push(['TargetName', target]);
    pairs.push(['AuthMethod', user === undefined ? 'None' : 'CHAP']);
    this.#chap = user === undefined ? 'none' : 'method';
    return this.#request(pairs, user === undefined);
  }

  /** What follows from a Login Response. */
  response(pdu: Pdu): LoginStep {
    try {
      return this.#follow(pdu);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { kind: 'failed', status: 0, why: error.message };
    }
  }

  #follow(pdu: Pdu): LoginStep {
    const status = pdu.u16(36);
    this.#rounds += 1;
    if (status !== LoginStatus.success) return { kind: 'failed', status, why: this.#statusText(pdu, status) };
    if (this.#rounds > KEY_ROUNDS) throw new Failure(`no end after ${KEY_ROUNDS} rounds`);
    if (!this.#text.add(pdu.data)) throw new Failure('more text than a login has');
    if ((pdu.flags & LoginFlag.continue) !== 0) return this.#request([], false);
    const pairs = decodeText(this.#text.take());
    if (pairs === undefined) throw new Failure('text that is not key=value');
    const isTransit = (pdu.flags & LoginFlag.transit) !== 0;
    const next = pdu.flags & 3;
    if (this.#stage === Stage.security) return this.#followSecurity(new Map(pairs), isTransit, next);
    return this.#followOperational(pairs, isTransit, next);
  }

  #statusText(pdu: Pdu, status: number): string {
    const address = decodeText(pdu.data)?.find(([key]) => key === 'TargetAddress')?.[1];
    const code = status.toString(16).padStart(4, '0');
    return address === undefined ? `login status ${code}` : `login status ${code}: the target is at ${address}`;
  }

  #followSecurity(values: ReadonlyMap<string, string>, isTransit: boolean, next: number): LoginStep {
    switch (this.#chap) {
      case 'method':
        if (values.get('AuthMethod') !== 'CHAP') throw new Failure(`AuthMethod=${values.get('AuthMethod') ?? ''}`);
        this.#chap = 'algorithm';
        return this.#request([['CHAP_A', CHAP_ALGORITHMS]], false);
      case 'algorithm':
        this.#chap = 'proof';
        return this.#request(this.#proof(values), true);
      case 'proof':
        this.#checkTarget(values);
        break;
      case 'none':
        break;
    }
    if (!isTransit) throw new Failure('the target wants an authentication that was not offered');
    this.#stage = next;
    return next === Stage.fullFeature ? { kind: 'done' } : this.#request(this.#offers(), true);
  }

  #proof(values: ReadonlyMap<string, string>): KeyValues {
    const { user, mutual, choices } = this.#config;
    const algorithm = chooseAlgorithm(values.get('CHAP_A') ?? '');
    const challenge = decodeBinary(values.get('CHAP_C') ?? '');
    const identifier = Number(values.get('CHAP_I') ?? Number.NaN);
    if (algorithm === undefined || challenge === undefined || !(identifier >= 0 && identifier <= 255)) {
      throw new Failure('a CHAP challenge that is none');
    }
    const response = chapResponse(algorithm, identifier, user!.secret, challenge);
    const pairs: (readonly [string, string])[] = [
      ['CHAP_N', user!.name],
      ['CHAP_R', encodeBinary(response)],
    ];
    if (mutual === undefined) return pairs;
    this.#challenge = newChallenge(algorithm, choices);
    pairs.push(['CHAP_I', `${this.#challenge.identifier}`], ['CHAP_C', encodeBinary(this.#challenge.bytes)]);
    return pairs;
  }

  #checkTarget(values: ReadonlyMap<string, string>): void {
    const { mutual } = this.#config;
    if (mutual === undefined || this.#challenge === undefined) return;
    const { algorithm, identifier, bytes } = this.#challenge;
    const response = decodeBinary(values.get('CHAP_R') ?? '');
    const isRight =
      values.get('CHAP_N') === mutual.name &&
      response !== undefined &&
      isRightResponse(algorithm, identifier, mutual.secret, bytes, response);
    if (!isRight) throw new Failure('the target did not prove who it is');
  }

  /** All operational keys at once: a target that misses one would offer it itself, and wait. */
  #offers(): KeyValues {
    const pairs: (readonly [string, string])[] = [];
    for (const [key, { rule, isIrrelevantInDiscovery }] of OPERATIONAL_KEYS) {
      if (this.#config.target === undefined && isIrrelevantInDiscovery === true) continue;
      const offer = offerOf(rule, this.#config.ours);
      if (offer === undefined) continue;
      this.#offered.add(key);
      pairs.push([key, offer]);
    }
    return pairs;
  }

  #followOperational(pairs: KeyValues, isTransit: boolean, next: number): LoginStep {
    const { ours, target } = this.#config;
    const answers: (readonly [string, string])[] = [];
    for (const [key, value] of pairs) {
      if (DECLARATIONS.has(key)) continue;
      if (this.#offered.has(key)) {
        const wrong = acceptAnswer(key, value, ours, this.settled);
        if (wrong !== undefined) throw new Failure(wrong);
      } else {
        answers.push([key, answerKey(key, value, ours, this.settled, target === undefined) ?? '']);
      }
    }
    this.settled.firstBurstLength = Math.min(this.settled.firstBurstLength, this.settled.maxBurstLength);
    if (isTransit && next === Stage.fullFeature) return { kind: 'done' };
    return this.#request(answers, true);
  }

  #request(pairs: KeyValues, isTransit: boolean): LoginRequest {
    const next = this.#stage === Stage.security ? Stage.operational : Stage.fullFeature;
    const flags = (this.#stage << 2) | (isTransit ? LoginFlag.transit | next : 0);
    return { kind: 'request', flags, text: encodeText(pairs) };
  }
}
