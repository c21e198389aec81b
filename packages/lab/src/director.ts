import {
  type Choices,
  type Fact,
  type Machine,
  type Nanos,
  PENDING,
  type ProgramResult,
  type Stamped,
  sleep,
  TAME_WORLD,
  type Task,
  type TaskId,
  TaskRunner,
  type World,
} from '@quorate/kernel';
import type { Fault } from './fault.js';
import type { PageRequest } from './hosts/host.js';
import type { Fetched, Lab, Progress, Scenario } from './lab.js';

export type DirectorInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'fact'; readonly fact: Stamped }
  /** A command that `exec` asked for has ended; without a result the machine went down. */
  | { readonly kind: 'replied'; readonly id: number; readonly result: ProgramResult | undefined }
  | { readonly kind: 'fetched'; readonly id: number; readonly result: Fetched }
  | { readonly kind: 'wake' };

export type DirectorOutput =
  | { readonly kind: 'power-on' | 'power-off' | 'pause' | 'resume'; readonly machine: string }
  | { readonly kind: 'link'; readonly machine: string; readonly isUp: boolean }
  | {
      readonly kind: 'partition';
      readonly from: readonly string[];
      readonly to: readonly string[];
      readonly isBothWays: boolean;
    }
  | { readonly kind: 'heal'; readonly from?: readonly string[]; readonly to?: readonly string[] }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'disk-path'; readonly machine: string; readonly isUp: boolean }
  | { readonly kind: 'fetch'; readonly id: number; readonly request: PageRequest }
  | { readonly kind: 'exec'; readonly id: number; readonly machine: string; readonly command: string }
  | { readonly kind: 'fact'; readonly fact: Fact }
  | { readonly kind: 'progress'; readonly progress: Progress }
  /** The script has ended. */
  | { readonly kind: 'ended'; readonly result: unknown };

/** What a driver is told to do by a script, or by whoever acts on the lab beside it. */
export type LabOrder = Exclude<DirectorOutput, { kind: 'fact' | 'progress' | 'ended' }>;

/** An order that nobody waits for. */
export type LabCommand = Exclude<LabOrder, { kind: 'exec' | 'fetch' }>;

class Exec {
  readonly machine: string;
  readonly command: string;

  constructor(machine: string, command: string) {
    this.machine = machine;
    this.command = command;
  }
}

class Fetch {
  readonly request: PageRequest;

  constructor(request: PageRequest) {
    this.request = request;
  }
}

class WaitFor {
  readonly accepts: (fact: Stamped) => boolean;
  readonly timeout: Nanos;

  constructor(accepts: (fact: Stamped) => boolean, timeout: Nanos) {
    this.accepts = accepts;
    this.timeout = timeout;
  }
}

interface Waiter {
  readonly task: TaskId;
  readonly accepts: (fact: Stamped) => boolean;
  readonly until: Nanos;
}

/** Runs a scenario's script on whatever driver obeys its outputs. */
export class Director implements Machine<DirectorInput, DirectorOutput>, Lab {
  readonly machines: readonly string[];
  readonly #scenario: Scenario;
  readonly #kinds: ReadonlySet<string>;
  readonly #world: World;
  readonly #runner: TaskRunner;
  readonly #waiters = new Set<Waiter>();
  /** Tasks that wait for a command or a page, by the number of it. */
  readonly #waiting = new Map<number, TaskId>();
  #script: TaskId = 0;
  #lastRequest = 0;
  #now: Nanos = 0;
  #emit: (output: DirectorOutput) => void = () => {};

  /** Without a world the script leaves nothing to chance: every outcome is the tame one. */
  constructor(scenario: Scenario, machines: readonly string[], world: World = TAME_WORLD) {
    this.#scenario = scenario;
    this.machines = machines;
    this.#world = world;
    this.#kinds = new Set(scenario.kinds);
    this.#runner = new TaskRunner((now, task, request) => this.#serve(now, task, request));
  }

  /** Whether the script wants to see facts of this kind. */
  wants(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  step(now: Nanos, input: DirectorInput, emit: (output: DirectorOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    switch (input.kind) {
      case 'start': {
        this.#script = this.#runner.newId();
        this.#runner.step(now, { kind: 'start', id: this.#script, task: this.#scenario.script(this) }, this.#onEnded);
        break;
      }
      case 'fact':
        this.#onFact(input.fact);
        break;
      case 'replied':
      case 'fetched': {
        const task = this.#waiting.get(input.id);
        this.#waiting.delete(input.id);
        if (task !== undefined) this.#reply(task, input.result);
        break;
      }
      case 'wake':
        this.#onWake();
        break;
    }
  }

  deadline(): Nanos {
    let deadline = this.#runner.deadline();
    for (const { until } of this.#waiters) if (until < deadline) deadline = until;
    return deadline;
  }

  now(): Nanos {
    return this.#now;
  }

  powerOn(...machines: readonly string[]): void {
    for (const machine of machines) this.#emit({ kind: 'power-on', machine });
  }

  powerOff(...machines: readonly string[]): void {
    for (const machine of machines) this.#emit({ kind: 'power-off', machine });
  }

  pause(machine: string): void {
    this.#emit({ kind: 'pause', machine });
  }

  resume(machine: string): void {
    this.#emit({ kind: 'resume', machine });
  }

  setLink(machine: string, isUp: boolean): void {
    this.#emit({ kind: 'link', machine, isUp });
  }

  partition(from: readonly string[], to: readonly string[], isBothWays = true): void {
    this.#emit({ kind: 'partition', from, to, isBothWays });
  }

  heal(from?: readonly string[], to?: readonly string[]): void {
    this.#emit({ kind: 'heal', ...(from && { from }), ...(to && { to }) });
  }

  fault(fault: Fault): void {
    this.#emit({ kind: 'fault', fault });
  }

  choices(stream: string): Choices {
    return this.#world.choices(stream);
  }

  setDiskPath(machine: string, isUp: boolean): void {
    this.#emit({ kind: 'disk-path', machine, isUp });
  }

  *fetch(address: string, path: string, timeout: Nanos): Task<Fetched> {
    return (yield new Fetch({ address, path, timeout })) as Fetched;
  }

  *exec(machine: string, command: string): Task<ProgramResult | undefined> {
    return (yield new Exec(machine, command)) as ProgramResult | undefined;
  }

  wait(duration: Nanos): Task {
    return sleep(duration);
  }

  *waitFor(accepts: (fact: Stamped) => boolean, timeout: Nanos): Task<Stamped | undefined> {
    return (yield new WaitFor(accepts, timeout)) as Stamped | undefined;
  }

  tell(fact: Fact): void {
    this.#emit({ kind: 'fact', fact });
  }

  progress(progress: Progress): void {
    this.#emit({ kind: 'progress', progress });
  }

  #serve(now: Nanos, task: TaskId, request: unknown): unknown {
    if (request instanceof Exec) {
      this.#emit({ kind: 'exec', id: this.#expect(task), machine: request.machine, command: request.command });
    } else if (request instanceof Fetch) {
      this.#emit({ kind: 'fetch', id: this.#expect(task), request: request.request });
    } else if (request instanceof WaitFor) {
      this.#waiters.add({ task, accepts: request.accepts, until: now + request.timeout });
    }
    return PENDING;
  }

  #expect(task: TaskId): number {
    this.#lastRequest += 1;
    this.#waiting.set(this.#lastRequest, task);
    return this.#lastRequest;
  }

  #onFact(fact: Stamped): void {
    if (!this.#kinds.has(fact.kind)) return;
    this.#scenario.onFact?.(fact);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.accepts(fact)) continue;
      this.#waiters.delete(waiter);
      this.#reply(waiter.task, fact);
    }
  }

  #onWake(): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.until > this.#now) continue;
      this.#waiters.delete(waiter);
      this.#reply(waiter.task, undefined);
    }
    if (this.#runner.deadline() <= this.#now) this.#runner.step(this.#now, { kind: 'wake' }, this.#onEnded);
  }

  #reply(task: TaskId, value: unknown): void {
    this.#runner.step(this.#now, { kind: 'reply', id: task, value }, this.#onEnded);
  }

  readonly #onEnded = (output: { readonly id: TaskId; readonly result: unknown }): void => {
    if (output.id === this.#script) this.#emit({ kind: 'ended', result: output.result });
  };
}
