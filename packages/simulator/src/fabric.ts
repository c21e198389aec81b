import { type Choices, MILLISECOND, type Nanos } from '@quorate/kernel';

/** A SCSI command between a machine and the disks; its buffers are used again. */
export interface FabricCommand {
  nexus: number;
  lun: number;
  tag: number;
  cdb: Uint8Array;
  data: Uint8Array;
  at: Nanos;
}

/** How long a command travels. */
const TRAVEL: Nanos = 5_000;
/** The latest that a command of a crashed machine still comes out, in steps of `LATE_STEP`: 5 s. */
const LATE_STEPS = 50;
const LATE_STEP: Nanos = 100 * MILLISECOND;

/** What becomes of a command that was under way when its machine's session broke off. */
const Fate = { lost: 0, late: 1 } as const;

const NOTHING = new Uint8Array(0);
/** Commands that are kept for the next ones. */
const MOST_FREE = 64;

/**
 * The way to the disks: commands arrive in the order in which they were sent, shortly after.
 *
 * When a machine dies, what it has under way is lost, or comes out up to 5 s later: the delayed write of a node that is dead, or
 * fenced by then. When its path breaks it is lost.
 */
export class Fabric {
  readonly #choicesOf: (nexus: number) => Choices;
  /** Next to arrive first. */
  readonly #commands: FabricCommand[] = [];
  readonly #free: FabricCommand[] = [];

  constructor(choicesOf: (nexus: number) => Choices) {
    this.#choicesOf = choicesOf;
  }

  /** `cdb` and `data` are lent. */
  send(now: Nanos, nexus: number, lun: number, tag: number, cdb: Uint8Array, data: Uint8Array): void {
    const command = this.#free.pop() ?? { nexus, lun, tag, cdb: NOTHING, data: NOTHING, at: 0 };
    command.nexus = nexus;
    command.lun = lun;
    command.tag = tag;
    command.cdb = copyInto(command.cdb, cdb);
    command.data = copyInto(command.data, data);
    command.at = now + TRAVEL;
    this.#insert(command);
  }

  /** The path of a machine is gone, and with it what its session has under way. */
  drop(now: Nanos, nexus: number): void {
    for (const command of this.#takeUnderWay(now, nexus)) this.done(command);
  }

  /** A machine is dead. */
  lose(now: Nanos, nexus: number): void {
    for (const command of this.#takeUnderWay(now, nexus)) {
      const choices = this.#choicesOf(nexus);
      if (choices.choose('fate', 2) === Fate.lost) {
        this.done(command);
        continue;
      }
      command.at = now + (1 + choices.choose('delay', LATE_STEPS)) * LATE_STEP;
      this.#insert(command);
    }
  }

  /** Without what comes late of a life before. */
  #takeUnderWay(now: Nanos, nexus: number): readonly FabricCommand[] {
    const underWay = this.#commands.filter((command) => command.nexus === nexus && command.at <= now + TRAVEL);
    for (const command of underWay) this.#commands.splice(this.#commands.indexOf(command), 1);
    return underWay;
  }

  deadline(): Nanos {
    return this.#commands[0]?.at ?? Infinity;
  }

  /** The next command that has arrived by now; it is the caller's until `done`. */
  arrived(now: Nanos): FabricCommand | undefined {
    return this.deadline() <= now ? this.#commands.shift() : undefined;
  }

  done(command: FabricCommand): void {
    if (this.#free.length < MOST_FREE) this.#free.push(command);
  }

  /** Behind all that arrive no later. */
  #insert(command: FabricCommand): void {
    let place = this.#commands.length;
    while (place > 0 && this.#commands[place - 1]!.at > command.at) place -= 1;
    if (place === this.#commands.length) this.#commands.push(command);
    else this.#commands.splice(place, 0, command);
  }
}

/** Most commands have the length of the one before: a read of a sector has no data, and each has ten bytes of its own. */
function copyInto(buffer: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (buffer.length !== bytes.length) return bytes.length === 0 ? NOTHING : bytes.slice();
  buffer.set(bytes);
  return buffer;
}
