import { type Choices, MILLISECOND, type Nanos } from '@quorate/kernel';

/** A SCSI command between a machine and the disks. */
export interface FabricCommand {
  readonly nexus: number;
  readonly lun: number;
  readonly tag: number;
  readonly cdb: Uint8Array;
  readonly data: Uint8Array;
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

/**
 * The way to the disks: commands arrive in the order in which they were sent, shortly after.
 *
 * When a session breaks off, what it has under way is lost, or comes out up to 5 s later: the delayed write of a node that is
 * dead, or fenced by then.
 */
export class Fabric {
  readonly #choicesOf: (nexus: number) => Choices;
  /** Next to arrive first. */
  readonly #commands: FabricCommand[] = [];

  constructor(choicesOf: (nexus: number) => Choices) {
    this.#choicesOf = choicesOf;
  }

  /** `cdb` and `data` are lent. */
  send(now: Nanos, nexus: number, lun: number, tag: number, cdb: Uint8Array, data: Uint8Array): void {
    const kept = data.length === 0 ? NOTHING : data.slice();
    this.#insert({ nexus, lun, tag, cdb: cdb.slice(), data: kept, at: now + TRAVEL });
  }

  /** The session of a machine has broken off. */
  lose(now: Nanos, nexus: number): void {
    const underWay = this.#commands.filter((command) => command.nexus === nexus && command.at <= now + TRAVEL);
    for (const command of underWay) {
      this.#commands.splice(this.#commands.indexOf(command), 1);
      const choices = this.#choicesOf(nexus);
      if (choices.choose('fate', 2) === Fate.lost) continue;
      command.at = now + (1 + choices.choose('delay', LATE_STEPS)) * LATE_STEP;
      this.#insert(command);
    }
  }

  deadline(): Nanos {
    return this.#commands[0]?.at ?? Infinity;
  }

  /** The next command that has arrived by now. */
  arrived(now: Nanos): FabricCommand | undefined {
    return this.deadline() <= now ? this.#commands.shift() : undefined;
  }

  /** Behind all that arrive no later. */
  #insert(command: FabricCommand): void {
    let place = this.#commands.length;
    while (place > 0 && this.#commands[place - 1]!.at > command.at) place -= 1;
    if (place === this.#commands.length) this.#commands.push(command);
    else this.#commands.splice(place, 0, command);
  }
}
