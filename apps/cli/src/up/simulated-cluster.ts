import type { Nanos, ProgramResult, Violation } from '@quorate/kernel';
import { type Fetched, FreeRun, LAST_INSTANT, type LabCommand, type PageRequest } from '@quorate/lab';
import { Simulator } from '@quorate/simulator';
import { tuneForShortRuns } from '@quorate/simulator/node';
import type { RunOptions } from '../run-options.js';
import { PATIENCE, type RunningCluster } from './running-cluster.js';

/** In the simulator: time passes only as commands need it. */
export class SimulatedCluster implements RunningCluster {
  readonly #simulator: Simulator;
  /** The end of the last wait: nothing need have happened at that instant. */
  #waitedUntil: Nanos = 0;
  #isStopped = false;
  trouble: string | undefined;

  constructor(options: RunOptions) {
    tuneForShortRuns();
    this.#simulator = new Simulator({
      ...options,
      scenario: new FreeRun(),
      maxTime: LAST_INSTANT,
      maxEvents: Infinity,
      keepGoing: true,
    });
  }

  now(): Nanos {
    return Math.max(this.#simulator.now(), this.#waitedUntil);
  }

  async exec(machine: string, command: string): Promise<ProgramResult | undefined> {
    const result = this.#simulator.exec(machine, command, PATIENCE);
    this.#look();
    return result;
  }

  async fetch(request: PageRequest): Promise<Fetched | undefined> {
    const fetched = this.#simulator.fetch(request);
    this.#look();
    return fetched;
  }

  command(command: LabCommand): void {
    this.#simulator.command(command);
    this.#look();
  }

  async wait(duration: Nanos): Promise<void> {
    this.#waitedUntil = this.now() + duration;
    this.#look();
  }

  get violations(): readonly Violation[] {
    return this.#simulator.checker.violations;
  }

  get isOver(): boolean {
    return this.#isStopped || this.trouble !== undefined;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
  }

  /** Runs up to now, and notes whether the run goes on. */
  #look(): void {
    const { reason, exception } = this.#simulator.run(this.now());
    if (reason !== 'time') this.trouble ??= exception ?? reason;
  }
}
