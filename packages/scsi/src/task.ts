import type { Nanos } from '@quorate/kernel';
import type { Command } from './commands/command.js';
import type { UnitNexus } from './nexus.js';
import type { Refusal } from './refusal.js';
import type { BlockRun } from './torn-write.js';

/** Task attribute. Source: SAM-5, "Task attributes"; ACA is treated as SIMPLE because NORMACA is 0. */
export type TaskAttribute = 'simple' | 'ordered' | 'head-of-queue';

/** Longest CDB that a task takes; what is longer is cut and then refused as an unknown command. */
const MAX_CDB_BYTES = 16;

const MAX_KEPT_BYTES = 64 * 1024;

/**
 * One command on its way through a logical unit. Tasks are pooled: buffers stay with them from command to command.
 *
 * dormant: in the task set, waiting for its turn. enabled: in service, checked against reservations and refused or not.
 */
export class Task {
  /** Place in the unit's pool. */
  readonly slot: number;
  readonly cdb: Uint8Array = new Uint8Array(MAX_CDB_BYTES);
  cdbLength = 0;
  tag = 0;
  attribute: TaskAttribute = 'simple';
  /** Set by `load`, before anybody looks. */
  from!: UnitNexus;
  /** Undefined when the target knows no such command. */
  command: Command | undefined;
  state: 'pooled' | 'dormant' | 'enabled' = 'pooled';
  /** Time that the world adds to its service, drawn when it arrived. */
  extraTime: Nanos = 0;
  /** Running number of its service; the service queue knows it by this. */
  order = 0;

  /** Range of a command that addresses the medium, set when it is enabled; blocks is -1 for other commands. */
  lba = 0;
  blocks = -1;
  /** Why it was refused when it was enabled; undefined when it was not. */
  refusal: Refusal | undefined;

  /** Its nexus is gone: it is carried out and answered to nobody. */
  isOrphan = false;
  /** Blocks of a write that reach the medium; undefined for all of them. */
  torn: readonly BlockRun[] | undefined;
  /** It was carried out, and only its answer waits. */
  isCarriedOut = false;

  /** Neighbours in the task set. */
  older: Task | undefined;
  younger: Task | undefined;

  #data: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The part of it that the last kept Data-Out took. */
  #kept: Uint8Array = this.#data;
  #dataOut: Uint8Array = this.#data;

  constructor(slot: number) {
    this.slot = slot;
  }

  /** Data-Out, as much as arrived. */
  get dataOut(): Uint8Array {
    return this.#dataOut;
  }

  /** Copies the CDB in: it is lent. The Data-Out is borrowed, for as long as the step lasts that brought it. */
  load(from: UnitNexus, tag: number, cdb: Uint8Array, data: Uint8Array, attribute: TaskAttribute): void {
    this.from = from;
    this.tag = tag;
    this.attribute = attribute;
    this.cdbLength = Math.min(cdb.length, MAX_CDB_BYTES);
    for (let i = 0; i < MAX_CDB_BYTES; i++) this.cdb[i] = i < cdb.length ? cdb[i]! : 0;
    this.#dataOut = data;
    this.lba = 0;
    this.blocks = -1;
    this.refusal = undefined;
    this.isOrphan = false;
    this.torn = undefined;
    this.isCarriedOut = false;
  }

  /** Copies the Data-Out as well: the task outlives the step that brought it. */
  keepData(): void {
    const data = this.#dataOut;
    if (data.length > this.#data.length) this.#data = new Uint8Array(Math.max(512, data.length));
    if (this.#kept.length !== data.length || this.#kept.buffer !== this.#data.buffer) {
      this.#kept = this.#data.subarray(0, data.length);
    }
    if (data.length > 0) this.#data.set(data);
    this.#dataOut = this.#kept;
  }

  /** Lets go of what was borrowed, and of a buffer too large to be kept for the next command. */
  unload(): void {
    if (this.#data.length > MAX_KEPT_BYTES) this.#kept = this.#data = new Uint8Array(0);
    this.#dataOut = this.#kept;
  }
}
