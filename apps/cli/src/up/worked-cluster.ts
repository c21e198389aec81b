import { setTimeout as pause } from 'node:timers/promises';
import type { Nanos, ProgramResult, Violation } from '@quorate/kernel';
import { type Fetched, FreeRun, LAST_INSTANT, type LabCommand, type PageRequest } from '@quorate/lab';
import { WorkersLab, type WorkersResult } from '@quorate/workers';
import { threadWorker } from '@quorate/workers/node';
import type { RunOptions } from '../run-options.js';
import type { TopologyOptions } from '../topologies.js';
import { PATIENCE, type RunningCluster } from './running-cluster.js';

/** How workers make the topology of a run, and how fast their time goes. */
export interface WorkersOptions {
  readonly speed: number;
  readonly topologyName: string;
  readonly topologyOptions: TopologyOptions;
}

/** Next to the bundled command. */
const WORKER_FILE = new URL('./lab.worker.js', import.meta.url);

/** How often the cluster's clock is looked at by who waits for it. */
const LOOK_MS = 5;

/** In worker threads: time passes by itself. */
export class WorkedCluster implements RunningCluster {
  readonly #lab: WorkersLab;
  readonly #ended: Promise<WorkersResult>;
  isOver = false;
  trouble: string | undefined;

  /** `topologyName` and `topologyOptions`: what the workers make the same topology of. */
  constructor(options: RunOptions & WorkersOptions) {
    this.#lab = new WorkersLab({
      ...options,
      scenario: new FreeRun(),
      spawn: () => threadWorker(WORKER_FILE),
      maxTime: LAST_INSTANT,
      keepGoing: true,
    });
    this.#ended = this.#lab.run();
    void this.#ended.then(({ reason, exception, gone }) => {
      this.isOver = true;
      if (reason !== 'stopped') this.trouble = exception ?? (gone && `${gone.worker}: ${gone.message}`) ?? reason;
    });
  }

  now(): Nanos {
    return this.#lab.now();
  }

  exec(machine: string, command: string): Promise<ProgramResult | undefined> {
    return Promise.race([this.#lab.exec(machine, command), this.wait(PATIENCE).then(() => undefined)]);
  }

  fetch(request: PageRequest): Promise<Fetched | undefined> {
    return this.#lab.fetch(request);
  }

  command(command: LabCommand): void {
    this.#lab.command(command);
  }

  async wait(duration: Nanos): Promise<void> {
    const until = this.#lab.now() + duration;
    while (this.#lab.now() < until && !this.isOver) await pause(LOOK_MS);
  }

  setSpeed(speed: number): void {
    this.#lab.setSpeed(speed);
  }

  get violations(): readonly Violation[] {
    return this.#lab.checker.violations;
  }

  async stop(): Promise<void> {
    this.#lab.stop();
    await this.#ended;
  }
}
