import { type Nanos, type PowerState, SECOND, type Task } from '@quorate/kernel';
import { type LinkParameters, type LinkPreset, linkPreset } from '@quorate/network';
import type { ProgramFault } from '@quorate/node';
import type { Lab } from '../lab.js';

/** How much may be broken at once. */
export interface FaultBudget {
  /** Machines that may be off, paused or without a daemon at the same time because of the nemesis. */
  readonly mostDown: number;
  /** How long a machine has to be up before it is taken down again. */
  readonly stability: Nanos;
}

/** The ends of links that a fault is about; without one, all. */
export interface LinkEnds {
  readonly from?: string;
  readonly to?: string;
}

/**
 * What the families of faults share: the machines as they stand, what is broken, and how to undo all of it.
 *
 * Two families may close the same link; it opens when both have let go of it.
 */
export class Arena {
  readonly lab: Lab;
  readonly machines: readonly string[];
  readonly #budget: FaultBudget;
  readonly #calm: LinkParameters;
  readonly #states = new Map<string, PowerState>();
  readonly #upSince = new Map<string, Nanos>();
  /** Machines that somebody took down and has not brought back, with how many did so. */
  readonly #down = new Map<string, number>();
  /** How many hold a directed link closed. */
  readonly #closed = new Map<string, number>();
  /** Programs that are mended when all is healed: those that storms break, and what else was broken. */
  readonly #faultyPrograms = new Set<string>(['fence_scsi', 'fence_power', 'ip.sh', 'apache.sh', 'clusterfs.sh']);
  #isOver = false;
  #overSince: Nanos = Infinity;

  constructor(lab: Lab, link: LinkPreset, budget: FaultBudget) {
    this.lab = lab;
    this.machines = lab.machines;
    this.#calm = linkPreset(link);
    this.#budget = budget;
  }

  /** Chaos has ended: nobody may break anything any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** When that was; Infinity before. */
  get overSince(): Nanos {
    return this.#overSince;
  }

  /** Tells of a `node.state`. */
  powerChanged(machine: string, state: PowerState): void {
    if (state === 'up' && this.stateOf(machine) !== 'paused') this.#upSince.set(machine, this.lab.now());
    this.#states.set(machine, state);
  }

  stateOf(machine: string): PowerState {
    return this.#states.get(machine) ?? 'off';
  }

  isUp(machine: string): boolean {
    return this.stateOf(machine) === 'up';
  }

  /** Waits; false when chaos has ended meanwhile, and with it what waited. */
  *hold(duration: Nanos): Task<boolean> {
    yield* this.lab.wait(duration);
    return !this.#isOver;
  }

  /** Takes the budget for these machines; false when it is spent, or one of them is not up for long enough. */
  takeDown(machines: readonly string[]): boolean {
    const { mostDown, stability } = this.#budget;
    const isSteady = (machine: string): boolean =>
      this.isUp(machine) && this.lab.now() - (this.#upSince.get(machine) ?? 0) >= stability;
    const already = this.machines.filter((machine) => this.#down.has(machine) || !this.isUp(machine));
    if (machines.length === 0 || already.length + machines.length > mostDown) return false;
    if (!machines.every((machine) => isSteady(machine) && !this.#down.has(machine))) return false;
    for (const machine of machines) this.#down.set(machine, 1);
    return true;
  }

  /** Gives the budget back. */
  broughtBack(machines: readonly string[]): void {
    for (const machine of machines) this.#down.delete(machine);
  }

  /** Closes the links from each of these to each of those. */
  close(from: readonly string[], to: readonly string[]): void {
    this.#eachLink(from, to, (link, a, b) => {
      const holders = this.#closed.get(link) ?? 0;
      this.#closed.set(link, holders + 1);
      if (holders === 0) this.lab.partition([a], [b], false);
    });
  }

  /** Lets go of them. */
  open(from: readonly string[], to: readonly string[]): void {
    this.#eachLink(from, to, (link, a, b) => {
      const holders = this.#closed.get(link) ?? 0;
      if (holders > 1) this.#closed.set(link, holders - 1);
      else if (this.#closed.delete(link)) this.lab.heal([a], [b]);
    });
  }

  /** Gives links other parameters. */
  setLinks(ends: LinkEnds, parameters: Partial<LinkParameters>): void {
    this.lab.fault({ kind: 'links', ...ends, parameters });
  }

  /** Gives links the parameters back that `changed` had changed. */
  calmLinks(ends: LinkEnds, changed: Partial<LinkParameters>): void {
    const calm = this.#calm;
    const names = Object.keys(changed) as (keyof LinkParameters)[];
    this.setLinks(ends, Object.fromEntries(names.map((name) => [name, calm[name]])));
  }

  /** Makes a program go wrong on a machine. */
  breakProgram(machine: string, fault: ProgramFault): void {
    this.#faultyPrograms.add(fault.program);
    this.lab.fault({ kind: 'program', machine, fault });
  }

  /** The program does again on that machine what it should. */
  mendProgram(machine: string, program: string): void {
    this.lab.fault({ kind: 'program', machine, fault: { program, runs: 0, delay: 0 } });
  }

  /** Undoes everything but what the power of a machine is, and from now on nothing breaks. */
  heal(): void {
    this.#isOver = true;
    this.#overSince = this.lab.now();
    const { lab } = this;
    lab.heal();
    this.#closed.clear();
    this.#down.clear();
    this.setLinks({}, this.#calm);
    for (const machine of this.machines) {
      lab.setLink(machine, true);
      lab.setDiskPath(machine, true);
      lab.fault({ kind: 'clock-drift', machine, ppm: 0 });
      lab.fault({ kind: 'disks', machine, impairment: {} });
      for (const program of this.#faultyPrograms) this.mendProgram(machine, program);
      if (this.stateOf(machine) === 'paused') lab.resume(machine);
    }
  }

  #eachLink(
    from: readonly string[],
    to: readonly string[],
    each: (link: string, from: string, to: string) => void,
  ): void {
    for (const a of from) for (const b of to) if (a !== b) each(`${a}>${b}`, a, b);
  }
}

/** Seconds as a span. */
export function seconds(count: number): Nanos {
  return Math.round(count * SECOND);
}
