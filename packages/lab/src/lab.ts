import type { Choices, Fact, Nanos, ProgramResult, Stamped, Task } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';
import type { Fault } from './fault.js';

/** What became of one thing that a scenario expected. */
export interface Observed {
  /** A sentence: `the key of my-vm5 is gone from the disk`. */
  readonly text: string;
  readonly isTrue: boolean;
  /** What was found, where the sentence alone does not say it. */
  readonly found: string;
}

/** What came of a request for a page. */
export interface Fetched {
  /** Status line, or why there was none: `ETIMEDOUT`, `ECONNREFUSED`, `ECONNRESET`, `EHOSTUNREACH`. */
  readonly outcome: string;
  /** The server said 200. */
  readonly isAnswered: boolean;
  /** Empty without a page. */
  readonly body: string;
}

/** How a step of a scenario stands, for whoever shows the run. */
export type Progress =
  | {
      readonly kind: 'step-began';
      readonly id: string;
      readonly title: string;
      readonly number: number;
      readonly of: number;
    }
  | { readonly kind: 'observed'; readonly step: string; readonly observed: Observed }
  | { readonly kind: 'step-ended'; readonly id: string }
  /** The nemesis does something, or stops doing it; `text` says what: `my-vm3 is paused`. */
  | { readonly kind: 'attack-began' | 'attack-ended'; readonly family: string; readonly text: string };

/**
 * What a scenario sees: machines with power, pause and network, commands typed on them, and facts.
 *
 * It cannot tell which driver is behind it. Machines are named by their host name.
 */
export interface Lab {
  now(): Nanos;
  /** Host names in the order of their node ids. */
  readonly machines: readonly string[];

  /** Starts machines that are off; they are up after their boot delay. */
  powerOn(...machines: readonly string[]): void;
  /** Cuts the power of all of them at the same instant. */
  powerOff(...machines: readonly string[]): void;
  /** Stops a machine's processor; nothing in it notices until `resume`. */
  pause(machine: string): void;
  resume(machine: string): void;
  /** Pulls a machine's network cable, or puts it back. */
  setLink(machine: string, isUp: boolean): void;
  /** Drops every frame from `from` to `to`; both ways when `isBothWays` (default). */
  partition(from: readonly string[], to: readonly string[], isBothWays?: boolean): void;
  /** Ends all partitions; with lists only those from these to those. */
  heal(from?: readonly string[], to?: readonly string[]): void;
  /** Pulls a machine's cable to the shared disks, or puts it back: commands end with a transport error meanwhile. */
  setDiskPath(machine: string, isUp: boolean): void;

  /** Makes something go wrong, or sets it right again. */
  fault(fault: Fault): void;
  /** Outcomes of the world: what a scenario leaves to chance is asked here, so that it is logged and replayed. */
  choices(stream: string): Choices;

  /** Types a command on a machine and waits for it; undefined if the machine is not up or goes down meanwhile. */
  exec(machine: string, command: string): Task<ProgramResult | undefined>;
  /** Asks for a page from the client's machine, over a new connection. */
  fetch(address: string, path: string, timeout: Nanos): Task<Fetched>;
  wait(duration: Nanos): Task;
  /** Waits for the next fact that is accepted; undefined when none came in time. Only kinds that the scenario names come. */
  waitFor(accepts: (fact: Stamped) => boolean, timeout: Nanos): Task<Stamped | undefined>;

  /** Tells the rules what the scenario knows of the world: that it breaks nothing any more, say. */
  tell(fact: Fact): void;
  /** Tells whoever watches how far the scenario is. */
  progress(progress: Progress): void;
}

/** One scenario: what machines there are, and what happens to them. */
export interface Scenario<Result = unknown> {
  readonly name: string;
  readonly title: string;
  /** Kinds of facts that `waitFor` and `onFact` are handed. */
  readonly kinds: readonly string[];
  /** The script; it ends with what the scenario found. */
  script(lab: Lab): Task<Result>;
  /** Looks at the disks when the script has ended, and tells what it found as facts. */
  atEnd?(stores: ReadonlyMap<number, BlockStore>, now: Nanos): readonly Fact[];
  /** Hears every fact of `kinds`, whether or not the script waits for one. */
  onFact?(fact: Stamped): void;
}

/** A fact, with the fields its kind has: scenarios read facts of all packages. */
export type AnyFact = Stamped & Readonly<Record<string, unknown>>;
