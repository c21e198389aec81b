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
    return this.#simulator.exec(machine, command, PATIENCE);
  }

  async fetch(request: PageRequest): Promise<Fetched | undefined> {
    return this.#simulator.fetch(request);
  }

  command(command: LabCommand): void {
    this.#simulator.command(command);
  }

  async wait(duration: Nanos): Promise<void> {
    this.#waitedUntil = this.now() + duration;
    this.#simulator.run(this.#waitedUntil);
  }

  get violations(): readonly Violation[] {
    return this.#simulator.checker.violations;
  }

  get isOver(): boolean {
    return this.#isStopped || this.trouble !== undefined;
  }

  get trouble(): string | undefined {
    const { reason, exception } = this.#simulator.run(this.now());
    return reason === 'time' ? undefined : (exception ?? reason);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
  }
}
