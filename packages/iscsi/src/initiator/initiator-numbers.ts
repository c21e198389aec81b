import { NO_TAG, PduOpcode, ResponseFlag } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { addSerial, isBefore } from '../pdu/serial.js';

/** What the initiator of a session counts: sequence numbers and task tags. Source: RFC 7143, 4.2.2. */
export class InitiatorNumbers {
  /** Of the next command that is not immediate. */
  cmdSn = 1;
  /** The last CmdSN that the target takes. */
  maxCmdSn = 1;
  expStatSn = 0;
  #lastTag = 0;

  newTag(): number {
    this.#lastTag = (this.#lastTag + 1) % NO_TAG;
    return this.#lastTag;
  }

  /** The target takes one more command. */
  get isWindowOpen(): boolean {
    return !isBefore(this.maxCmdSn, this.cmdSn);
  }

  /** Takes StatSN from a PDU that carries one, and the window. */
  note(pdu: Pdu): void {
    const { opcode, flags } = pdu;
    const hasStatus = opcode === PduOpcode.dataIn ? (flags & ResponseFlag.status) !== 0 : opcode !== PduOpcode.r2t;
    const isPing = opcode === PduOpcode.nopIn && pdu.initiatorTaskTag === NO_TAG;
    if (hasStatus && !isPing) this.expStatSn = addSerial(pdu.u32(24), 1);
    if (isBefore(this.maxCmdSn, pdu.u32(32))) this.maxCmdSn = pdu.u32(32);
  }
}
