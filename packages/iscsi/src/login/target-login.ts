import { type Choices, hex } from '@quorate/kernel';
import {
  type Challenge,
  type ChapSecret,
  chapResponse,
  chooseAlgorithm,
  decodeBinary,
  encodeBinary,
  isRightResponse,
  newChallenge,
} from '../chap/chap.js';
import { LoginFlag, Stage } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { DEFAULT_PARAMETERS, type Parameters } from '../session/parameters.js';
import { decodeText, encodeText, type KeyValues, TextBuffer } from '../text/key-value.js';
import { answerKey } from '../text/negotiation.js';
import { LoginStatus } from './login-status.js';

/** Who may log in, and with what secret. */
export interface Authentication {
  /** Initiators' names and secrets; without any, nobody is asked. */
  readonly users?: readonly ChapSecret[];
  /** What the target proves itself with to an initiator that asks. */
  readonly mutual?: ChapSecret;
}

/** A target as far as its login is concerned. */
export interface LoginTarget extends Authentication {
  readonly name: string;
  readonly alias?: string;
  readonly portalGroupTag: number;
  /** Whether that initiator is on its list. */
  isAllowed(initiator: string): boolean;
}

export interface LoginHost {
  /** What this side would like. */
  readonly ours: Readonly<Parameters>;
  readonly choices: Choices;
  /** For discovery sessions, which log in to no target. */
  readonly discovery: Authentication;
  targetOf(name: string): LoginTarget | undefined;
}

/** Who logs in, once that is known. */
export interface LoginSubject {
  readonly initiator: string;
  /** 12 hex digits. */
  readonly isid: string;
  /** 0 for a new session. */
  readonly tsih: number;
  readonly cid: number;
  /** Undefined in a discovery session. */
  readonly target: LoginTarget | undefined;
}

/** An answer to a Login Request. */
export interface LoginReply {
  readonly status: LoginStatus;
  /** T, C, CSG and NSG. */
  readonly flags: number;
  readonly text: Uint8Array;
  /** The login is over: full feature phase begins with this reply, or the connection ends. */
  readonly isLast: boolean;
  /** Why it was refused, with what was found; empty otherwise. */
  readonly why: string;
}

/** A login that asks for more rounds than this is no login. */
const MAX_REQUESTS = 32;

/** Keys that only say who is there. */
const DECLARATIONS: ReadonlySet<string> = new Set([
  'InitiatorName',
  'InitiatorAlias',
  'TargetName',
  'SessionType',
  'TargetAlias',
  'TargetAddress',
  'TargetPortalGroupTag',
]);

class Refusal extends Error {
  readonly status: LoginStatus;

  constructor(status: LoginStatus, why: string) {
    super(why);
    this.status = status;
  }
}

/**
 * The target's side of one login: stages, text negotiation and CHAP. It answers each request; whether there is room for
 * the session is for the caller to say once `isLast`.
 *
 * Source: RFC 7143, 6.3 "Login phase" and 12 "iSCSI security text keys".
 */
export class TargetLogin {
  readonly settled: Parameters;
  readonly #host: LoginHost;
  readonly #text = new TextBuffer();
  readonly #offered = new Set<string>();
  #subject: LoginSubject | undefined;
  #stage: number = Stage.security;
  #requests = 0;
  #hasBegun = false;
  #authentication: 'open' | 'chap' | 'challenged' | 'done' = 'open';
  #challenge: Challenge | undefined;

  constructor(host: LoginHost) {
    this.#host = host;
    this.settled = { ...DEFAULT_PARAMETERS, maxRecvDataSegmentLength: host.ours.maxRecvDataSegmentLength };
  }

  /** Undefined until the first text was read. */
  get subject(): LoginSubject | undefined {
    return this.#subject;
  }

  request(pdu: Pdu): LoginReply {
    try {
      return this.#answer(pdu);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: error.status, flags: 0, text: new Uint8Array(0), isLast: true, why: error.message };
    }
  }

  #answer(pdu: Pdu): LoginReply {
    const { flags } = pdu;
    const current = (flags >> 2) & 3;
    const next = flags & 3;
    const isTransit = (flags & LoginFlag.transit) !== 0;
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS)
      throw new Refusal(LoginStatus.initiatorError, `more than ${MAX_REQUESTS} requests`);
    this.#checkStage(pdu, current, next, isTransit);
    if (!this.#text.add(pdu.data)) throw new Refusal(LoginStatus.initiatorError, 'more text than a login has');
    if ((flags & LoginFlag.continue) !== 0) {
      if (isTransit) throw new Refusal(LoginStatus.initiatorError, 'T together with C');
      return { status: LoginStatus.success, flags: current << 2, text: new Uint8Array(0), isLast: false, why: '' };
    }
    const pairs = decodeText(this.#text.take());
    if (pairs === undefined) throw new Refusal(LoginStatus.initiatorError, 'text that is not key=value');
    const answers = this.#negotiate(pdu, pairs);
    const mayMove = isTransit && (current !== Stage.security || this.#authentication === 'done');
    if (mayMove) this.#stage = next;
    return {
      status: LoginStatus.success,
      flags: (current << 2) | (mayMove ? LoginFlag.transit | next : 0),
      text: encodeText(answers),
      isLast: mayMove && next === Stage.fullFeature,
      why: '',
    };
  }

  #checkStage(pdu: Pdu, current: number, next: number, isTransit: boolean): void {
    // Byte 3 is the lowest version that the initiator speaks; ours is 0.
    if (pdu.u8(3) > 0) throw new Refusal(LoginStatus.unsupportedVersion, `version ${pdu.u8(3)} at least, expected 0`);
    if (!this.#hasBegun) {
      if (current > Stage.operational)
        throw new Refusal(LoginStatus.initiatorError, `a login that begins in stage ${current}`);
      this.#stage = current;
      this.#hasBegun = true;
    }
    if (current !== this.#stage) {
      throw new Refusal(LoginStatus.initiatorError, `stage ${current}, expected ${this.#stage}`);
    }
    if (isTransit && (next <= current || next === 2)) {
      throw new Refusal(LoginStatus.initiatorError, `from stage ${current} to ${next}`);
    }
  }

  #negotiate(pdu: Pdu, pairs: KeyValues): KeyValues {
    for (const [key] of pairs) {
      // libiscsi says its name in each stage.
      if (DECLARATIONS.has(key)) continue;
      if (this.#offered.has(key)) throw new Refusal(LoginStatus.initiatorError, `${key} a second time`);
      this.#offered.add(key);
    }
    const answers: (readonly [string, string])[] = [];
    const values = new Map(pairs);
    if (this.#subject === undefined) {
      this.#subject = this.#subjectOf(pdu, values);
      const { target } = this.#subject;
      if (target !== undefined) answers.push(['TargetPortalGroupTag', `${target.portalGroupTag}`]);
      if (target?.alias !== undefined) answers.push(['TargetAlias', target.alias]);
    }
    this.#authenticate(values, answers);
    for (const [key, value] of pairs) {
      if (DECLARATIONS.has(key) || key === 'AuthMethod' || key.startsWith('CHAP_')) continue;
      this.#answerOperational(key, value, answers);
    }
    return answers;
  }

  #answerOperational(key: string, value: string, answers: (readonly [string, string])[]): void {
    const isDiscovery = this.#subject!.target === undefined;
    const answer = answerKey(key, value, this.#host.ours, this.settled, isDiscovery);
    if (answer !== undefined) answers.push([key, answer]);
    else answers.push([key, `${this.#host.ours.maxRecvDataSegmentLength}`]);
    const { settled } = this;
    settled.firstBurstLength = Math.min(settled.firstBurstLength, settled.maxBurstLength);
  }

  #subjectOf(pdu: Pdu, values: ReadonlyMap<string, string>): LoginSubject {
    const initiator = values.get('InitiatorName');
    if (initiator === undefined) throw new Refusal(LoginStatus.missingParameter, 'no InitiatorName');
    if (!/^[\x21-\x7e]{1,223}$/.test(initiator)) {
      throw new Refusal(LoginStatus.initiatorError, 'an InitiatorName that is no iSCSI name');
    }
    const type = values.get('SessionType') ?? 'Normal';
    if (type !== 'Normal' && type !== 'Discovery') {
      throw new Refusal(LoginStatus.sessionTypeNotSupported, `SessionType=${type}`);
    }
    return {
      initiator,
      isid: hex(pdu.slice(8, 14)),
      tsih: pdu.u16(14),
      cid: pdu.u16(20),
      target: type === 'Discovery' ? undefined : this.#targetOf(initiator, values.get('TargetName')),
    };
  }

  #targetOf(initiator: string, name: string | undefined): LoginTarget {
    if (name === undefined) throw new Refusal(LoginStatus.missingParameter, 'no TargetName');
    const target = this.#host.targetOf(name);
    if (target === undefined) throw new Refusal(LoginStatus.notFound, `no target ${name}`);
    if (!target.isAllowed(initiator)) throw new Refusal(LoginStatus.notAuthorized, `${initiator} is not on the list`);
    return target;
  }

  get #rules(): Authentication {
    return this.#subject!.target ?? this.#host.discovery;
  }

  #authenticate(values: ReadonlyMap<string, string>, answers: (readonly [string, string])[]): void {
    const isNeeded = (this.#rules.users ?? []).length > 0;
    if (this.#stage !== Stage.security) {
      if (isNeeded && this.#authentication !== 'done') {
        throw new Refusal(LoginStatus.authenticationFailure, 'no authentication');
      }
      return;
    }
    const methods = values.get('AuthMethod');
    if (methods !== undefined) this.#chooseMethod(methods, isNeeded, answers);
    else if (this.#authentication === 'open' && !isNeeded) this.#authentication = 'done';
    if (this.#authentication === 'chap' && values.has('CHAP_A')) this.#sendChallenge(values.get('CHAP_A')!, answers);
    else if (this.#authentication === 'challenged') this.#checkResponse(values, answers);
  }

  #chooseMethod(methods: string, isNeeded: boolean, answers: (readonly [string, string])[]): void {
    const wanted = isNeeded ? 'CHAP' : 'None';
    if (!methods.split(',').includes(wanted)) {
      throw new Refusal(LoginStatus.authenticationFailure, `AuthMethod=${methods}, expected ${wanted}`);
    }
    answers.push(['AuthMethod', wanted]);
    this.#authentication = isNeeded ? 'chap' : 'done';
  }

  #sendChallenge(algorithms: string, answers: (readonly [string, string])[]): void {
    const algorithm = chooseAlgorithm(algorithms);
    if (algorithm === undefined) throw new Refusal(LoginStatus.authenticationFailure, `CHAP_A=${algorithms}`);
    this.#challenge = newChallenge(algorithm, this.#host.choices);
    answers.push(
      ['CHAP_A', `${algorithm}`],
      ['CHAP_I', `${this.#challenge.identifier}`],
      ['CHAP_C', encodeBinary(this.#challenge.bytes)],
    );
    this.#authentication = 'challenged';
  }

  #checkResponse(values: ReadonlyMap<string, string>, answers: (readonly [string, string])[]): void {
    const { algorithm, identifier, bytes } = this.#challenge!;
    const name = values.get('CHAP_N');
    const response = decodeBinary(values.get('CHAP_R') ?? '');
    const user = (this.#rules.users ?? []).find((each) => each.name === name);
    if (user === undefined || response === undefined) {
      throw new Refusal(LoginStatus.authenticationFailure, `CHAP_N=${name ?? ''} is not known`);
    }
    if (!isRightResponse(algorithm, identifier, user.secret, bytes, response)) {
      throw new Refusal(LoginStatus.authenticationFailure, `the response of ${user.name} is wrong`);
    }
    if (values.has('CHAP_I') || values.has('CHAP_C')) this.#prove(values, answers);
    this.#authentication = 'done';
  }

  /** The initiator wants to know who we are. */
  #prove(values: ReadonlyMap<string, string>, answers: (readonly [string, string])[]): void {
    const { mutual } = this.#rules;
    const own = this.#challenge!;
    const identifier = Number(values.get('CHAP_I') ?? Number.NaN);
    const challenge = decodeBinary(values.get('CHAP_C') ?? '');
    if (mutual === undefined)
      throw new Refusal(LoginStatus.authenticationFailure, 'this target has no secret of its own');
    if (challenge === undefined || !Number.isInteger(identifier) || identifier < 0 || identifier > 255) {
      throw new Refusal(LoginStatus.authenticationFailure, 'a challenge that is none');
    }
    if (encodeBinary(challenge) === encodeBinary(own.bytes)) {
      throw new Refusal(LoginStatus.authenticationFailure, 'our own challenge came back');
    }
    const response = chapResponse(own.algorithm, identifier, mutual.secret, challenge);
    answers.push(['CHAP_N', mutual.name], ['CHAP_R', encodeBinary(response)]);
  }
}
