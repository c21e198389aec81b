import type { InitiatorFunction } from '@quorate/iscsi';
import { type Nanos, SECOND } from '@quorate/kernel';

/** What the error handler does to a session. */
export interface ErrorHandlerPorts {
  now(): Nanos;
  /** Sends a function of task management, answered by `answered`. `command`: the tag of the one to be aborted. */
  manage(id: number, name: InitiatorFunction, lun: number, command?: number): void;
  /** These have ended at the target: they count as timed out. New commands may be sent again after it. */
  recovered(tags: readonly number[]): void;
  /** Nothing helped: the connection is to be dropped, and every command with it. */
  dropSession(): void;
}

interface WatchedCommand {
  readonly lun: number;
  expiresAt: Nanos;
  /** Its first time-out has gone by, in which the connection had time to show by a ping that it is alive. */
  isConnectionChecked: boolean;
  hasExpired: boolean;
}

/** What is being tried, with the commands that end when it succeeds. */
interface Attempt {
  readonly id: number;
  readonly name: 'abort-task' | 'lun-reset' | 'warm-reset';
  readonly tags: readonly number[];
  readonly until: Nanos;
}

/** The time-out of a SCSI disk's command. */
const COMMAND_TIMEOUT: Nanos = 30 * SECOND;
/** `node.session.err_timeo.abort_timeout`, `lu_reset_timeout`, `tgt_reset_timeout`. */
const PATIENCE: { readonly [name in Attempt['name']]: Nanos } = {
  'abort-task': 15 * SECOND,
  'lun-reset': 30 * SECOND,
  'warm-reset': 30 * SECOND,
};
/** Response of a function that was carried out (RFC 7143, 11.6.1). */
const FUNCTION_COMPLETE = 0;

/**
 * The SCSI error handler of one session: what becomes of commands that the target does not answer while it answers pings.
 *
 * A command's first time-out only makes sure of the connection, the second makes it a failed one: from then on nothing new is sent.
 * When all that is under way has ended or failed, each failed command is aborted; where that does not help, its logical unit is
 * reset, then the target, and at last the session is dropped.
 *
 * Source: Linux drivers/scsi/scsi_error.c, `scsi_unjam_host`; drivers/scsi/libiscsi.c, `iscsi_eh_cmd_timed_out`, `iscsi_eh_abort`,
 * `iscsi_eh_device_reset`, `iscsi_eh_recover_target`.
 */
export class ScsiErrorHandler {
  readonly #ports: ErrorHandlerPorts;
  /** At the target, by tag, in the order in which they were sent. */
  readonly #commands = new Map<number, WatchedCommand>();
  #attempt: Attempt | undefined;
  /** What could not be aborted, or reset with its unit. */
  readonly #stubborn = new Set<number>();
  readonly #resetUnits = new Set<number>();
  /** What has ended at the target, told when all has. */
  #recovered: number[] = [];
  #lastId = 0;

  constructor(ports: ErrorHandlerPorts) {
    this.#ports = ports;
  }

  /** Whether new commands have to wait. */
  get isRecovering(): boolean {
    if (this.#attempt !== undefined || this.#recovered.length > 0) return true;
    return [...this.#commands.values()].some(({ hasExpired }) => hasExpired);
  }

  sent(tag: number, lun: number): void {
    const expiresAt = this.#ports.now() + COMMAND_TIMEOUT;
    this.#commands.set(tag, { lun, expiresAt, isConnectionChecked: false, hasExpired: false });
  }

  /** The target has answered it. */
  ended(tag: number): void {
    const command = this.#commands.get(tag);
    if (command === undefined) return;
    const wasRecovering = this.isRecovering;
    this.#commands.delete(tag);
    this.#stubborn.delete(tag);
    if (wasRecovering) this.#proceed();
  }

  /** The session is lost, and with it all that was under way. */
  clear(): void {
    this.#commands.clear();
    this.#stubborn.clear();
    this.#resetUnits.clear();
    this.#recovered = [];
    this.#attempt = undefined;
  }

  deadline(): Nanos {
    let deadline = this.#attempt?.until ?? Infinity;
    for (const { expiresAt } of this.#commands.values()) deadline = Math.min(deadline, expiresAt);
    return deadline;
  }

  wakeIfDue(now: Nanos): void {
    if (now < this.deadline()) return;
    for (const command of this.#commands.values()) if (command.expiresAt <= now) expire(command, now);
    if (this.#attempt !== undefined && this.#attempt.until <= now) this.#judge(false);
    if (this.isRecovering) this.#proceed();
  }

  /** The answer to `manage`. */
  answered(id: number, response: number): void {
    if (this.#attempt?.id !== id) return;
    this.#judge(response === FUNCTION_COMPLETE);
    this.#proceed();
  }

  #judge(isSuccess: boolean): void {
    const { tags } = this.#attempt!;
    this.#attempt = undefined;
    for (const tag of tags) {
      if (!this.#commands.has(tag)) continue;
      if (!isSuccess) {
        this.#stubborn.add(tag);
        continue;
      }
      this.#commands.delete(tag);
      this.#stubborn.delete(tag);
      this.#recovered.push(tag);
    }
  }

  #proceed(): void {
    if (this.#attempt !== undefined) return;
    const commands = [...this.#commands];
    // Whatever is under way has to end or to fail first.
    if (commands.some(([, { hasExpired }]) => !hasExpired)) return;
    const next = commands.find(([tag]) => !this.#stubborn.has(tag));
    if (next !== undefined) return this.#try('abort-task', next[1].lun, [next[0]]);
    const unit = commands.find(([, { lun }]) => !this.#resetUnits.has(lun))?.[1].lun;
    if (unit !== undefined) {
      this.#resetUnits.add(unit);
      const tags = commands.filter(([, { lun }]) => lun === unit).map(([tag]) => tag);
      return this.#try('lun-reset', unit, tags);
    }
    if (commands.length > 0 && !this.#resetUnits.has(EVERY_UNIT)) {
      this.#resetUnits.add(EVERY_UNIT);
      return this.#try(
        'warm-reset',
        commands[0]![1].lun,
        commands.map(([tag]) => tag),
      );
    }
    if (commands.length > 0) return this.#ports.dropSession();
    const recovered = this.#recovered;
    this.clear();
    this.#ports.recovered(recovered);
  }

  #try(name: Attempt['name'], lun: number, tags: readonly number[]): void {
    this.#lastId += 1;
    this.#attempt = { id: this.#lastId, name, tags, until: this.#ports.now() + PATIENCE[name] };
    this.#ports.manage(this.#lastId, name, lun, name === 'abort-task' ? tags[0] : undefined);
  }
}

/** In place of a LUN: the target was reset. */
const EVERY_UNIT = -1;

function expire(command: WatchedCommand, now: Nanos): void {
  command.hasExpired = command.isConnectionChecked;
  command.isConnectionChecked = true;
  command.expiresAt = command.hasExpired ? Infinity : now + COMMAND_TIMEOUT;
}
