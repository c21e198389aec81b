import type { Nanos } from '@quorate/kernel';
import type { TargetLogin } from '../login/target-login.js';
import { PduReader } from '../pdu/pdu-reader.js';
import { DEFAULT_PARAMETERS, type Parameters } from '../session/parameters.js';
import { TextBuffer } from '../text/key-value.js';
import type { Session } from './session.js';

/** One TCP connection of the target, from its first byte to its end. */
export class TargetConnection {
  readonly id: number;
  /** Address of the other side, for logs. */
  readonly remote: string;
  /** Address at which it came in, `10.0.0.1:3260`. */
  readonly local: string;
  readonly reader: PduReader;
  readonly since: Nanos;
  state: 'login' | 'full-feature' | 'closed' = 'login';
  login: TargetLogin | undefined;
  /** Set with full feature phase. */
  session: Session | undefined;
  cid = 0;
  parameters: Readonly<Parameters> = DEFAULT_PARAMETERS;
  /** Of the next PDU with status. */
  statSn = 0;
  lastHeard: Nanos;
  /** When it was pinged and has not been heard since; Infinity otherwise. */
  pingedAt: Nanos = Infinity;
  /** Bytes handed out and not yet reported as sent. */
  unsent = 0;
  /** It sent more than its answers get away: nothing more is read until they do. */
  isPaused = false;
  /** Text of a request in several parts. */
  readonly text: TextBuffer = new TextBuffer();
  /** What is left of a long Text Response. */
  textLeft: Uint8Array | undefined;

  constructor(id: number, remote: string, local: string, now: Nanos, maxDataSegmentLength: number) {
    this.id = id;
    this.remote = remote;
    this.local = local;
    this.since = now;
    this.lastHeard = now;
    this.reader = new PduReader(maxDataSegmentLength);
  }
}
