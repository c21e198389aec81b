import { Pdu } from '../pdu/pdu.js';
import { addSerial, isBefore } from '../pdu/serial.js';
import type { Parameters } from '../session/parameters.js';
import type { CommandTask } from './command-task.js';
import type { TargetConnection } from './connection.js';
import type { TargetNode } from './target-node.js';

/** Tags of aborted tasks that are remembered, for Data-Out that was on its way. */
const REMEMBERED_TAGS = 64;

/** A numbered request that came before its turn, with the Data-Out that followed it. */
interface HeldRequest {
  readonly connection: TargetConnection;
  readonly pdus: Pdu[];
  bytes: number;
}

/** One session: an initiator port logged in to a target, over one or more connections. */
export class Session {
  readonly id: number;
  readonly tsih: number;
  readonly initiator: string;
  readonly isid: string;
  /** Undefined in a discovery session. */
  readonly node: TargetNode | undefined;
  /** Number of the I_T nexus in the SCSI target; 0 in a discovery session. */
  readonly nexus: number;
  readonly parameters: Readonly<Parameters>;
  readonly connections: Map<number, TargetConnection> = new Map();
  /** Open commands by initiator task tag. */
  readonly tasks: Map<number, CommandTask> = new Map();
  expCmdSn: number;
  readonly #window: number;
  #maxCmdSn: number;
  readonly #held = new Map<number, HeldRequest>();
  #heldBytes = 0;
  #abortedTags: number[] = [];
  #lastTransferTag = 0;

  constructor(
    id: number,
    tsih: number,
    port: { readonly initiator: string; readonly isid: string },
    node: TargetNode | undefined,
    nexus: number,
    parameters: Readonly<Parameters>,
    cmdSn: number,
    window: number,
  ) {
    this.id = id;
    this.tsih = tsih;
    this.initiator = port.initiator;
    this.isid = port.isid;
    this.node = node;
    this.nexus = nexus;
    this.parameters = parameters;
    this.expCmdSn = cmdSn;
    this.#window = window;
    this.#maxCmdSn = addSerial(cmdSn, window - 1);
  }

  get maxCmdSn(): number {
    return this.#maxCmdSn;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Opens the window as far as open commands allow, and gives MaxCmdSN. It never shrinks. */
  openWindow(): number {
    const room = addSerial(this.expCmdSn, this.#window - 1 - Math.min(this.tasks.size, this.#window));
    if (isBefore(this.#maxCmdSn, room)) this.#maxCmdSn = room;
    return this.#maxCmdSn;
  }

  /** Too many immediate commands are open for one more. */
  get isFull(): boolean {
    return this.tasks.size >= 2 * this.#window;
  }

  /** Where a request with that CmdSN stands: its turn, one that is to be held, or outside the window. */
  placeOf(cmdSn: number): 'now' | 'later' | 'outside' {
    if (cmdSn === this.expCmdSn) return isBefore(this.#maxCmdSn, cmdSn) ? 'outside' : 'now';
    if (isBefore(cmdSn, this.expCmdSn) || isBefore(this.#maxCmdSn, cmdSn) || this.#held.has(cmdSn)) return 'outside';
    return 'later';
  }

  advance(): void {
    this.expCmdSn = addSerial(this.expCmdSn, 1);
  }

  hold(cmdSn: number, connection: TargetConnection, pdu: Pdu): void {
    const held: HeldRequest = { connection, pdus: [], bytes: 0 };
    this.#held.set(cmdSn, held);
    this.#keep(held, pdu);
  }

  /** Holds Data-Out of a command that is held; false when there is none. */
  holdData(connection: TargetConnection, pdu: Pdu): boolean {
    if (this.#held.size === 0) return false;
    for (const held of this.#held.values()) {
      if (held.connection !== connection || held.pdus[0]!.initiatorTaskTag !== pdu.initiatorTaskTag) continue;
      this.#keep(held, pdu);
      return true;
    }
    return false;
  }

  /** The held request whose turn it is. */
  takeHeld(): HeldRequest | undefined {
    if (this.#held.size === 0) return undefined;
    const held = this.#held.get(this.expCmdSn);
    if (held === undefined) return undefined;
    this.#held.delete(this.expCmdSn);
    this.#heldBytes -= held.bytes;
    return held;
  }

  forgetHeldOf(connection: TargetConnection): void {
    for (const [cmdSn, held] of this.#held) {
      if (held.connection !== connection) continue;
      this.#held.delete(cmdSn);
      this.#heldBytes -= held.bytes;
    }
  }

  nextTransferTag(): number {
    this.#lastTransferTag = (this.#lastTransferTag + 1) % 0xffff_fff0;
    return this.#lastTransferTag;
  }

  rememberAborted(tag: number): void {
    if (this.#abortedTags.length >= REMEMBERED_TAGS) this.#abortedTags.shift();
    this.#abortedTags.push(tag);
  }

  wasAborted(tag: number): boolean {
    return this.#abortedTags.includes(tag);
  }

  #keep(held: HeldRequest, pdu: Pdu): void {
    const header = pdu.slice();
    const bytes = new Uint8Array(header.length + pdu.data.length);
    bytes.set(header);
    bytes.set(pdu.data, header.length);
    const copy = new Pdu();
    copy.aim(bytes, 0, header.length, pdu.data.length);
    copy.hasBadDataDigest = pdu.hasBadDataDigest;
    held.pdus.push(copy);
    held.bytes += bytes.length;
    this.#heldBytes += bytes.length;
  }
}
