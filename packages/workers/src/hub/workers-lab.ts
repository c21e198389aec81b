import {
  Checker,
  type Fact,
  type Nanos,
  type NodeStateFact,
  type PowerState,
  type ProgramResult,
  SECOND,
  SeededWorld,
  type Stamped,
} from '@quorate/kernel';
import {
  Director,
  type DirectorOutput,
  disksOfHosts,
  type Fetched,
  type LabCommand,
  nicOf,
  type PageRequest,
  switchPower,
  type ThrownFact,
} from '@quorate/lab';
import type { Role } from '../boot.js';
import type { Departure } from '../platform/worker-like.js';
import type { RecordPiece } from '../record/machine-recorder.js';
import { RecordedFrames } from '../record/recorded-frames.js';
import { type RecordedPart, RecordingWriter } from '../record/recording-writer.js';
import { HubClock } from '../time/hub-clock.js';
import type { Grant } from '../time/slice-clock.js';
import { THREAD_WALL, type Wall } from '../time/wall.js';
import { type Failure, type Item, ItemReader, type Report } from '../wire/report.js';
import type { StoresControl } from '../worker/stored-pages.js';
import { type AnyWorker, AttachedWorker } from './attached-worker.js';
import { Dispatch } from './dispatch.js';
import { type FetchedDisks, fetchStores } from './fetch-stores.js';
import { Timeline } from './timeline.js';
import { Watchdog } from './watchdog.js';
import type { StopReason, WorkerGoneFact, WorkersConfig, WorkersResult } from './workers-config.js';

const MAX_TIME: Nanos = 3600 * SECOND;
const HANG_TIMEOUT_MS = 10_000;
/** Workers compile their code and format disks before the first slice. */
const START_PATIENCE = 3;
const NO_DISKS: FetchedDisks = { stores: new Map(), imageHashes: new Map() };
/** Numbers of what the embedder asks for are above those of the script. */
const FIRST_OWN_REQUEST = 0x8000_0000;

/**
 * A lab in real time: every machine a worker, one more for the network and one for the disks, under elastic time.
 *
 * The hub runs the scenario's script and the invariants on the facts of all workers, merged on the shared clock and held
 * back until all of them have passed that time: so a scenario sees the same order as in the simulator, a slice later.
 */
export class WorkersLab {
  readonly checker: Checker;
  readonly #config: WorkersConfig;
  readonly #wall: Wall;
  readonly #clock: HubClock;
  readonly #hangTimeoutMs: number;
  readonly #director: Director;
  readonly #timeline: Timeline;
  readonly #reader = new ItemReader();
  readonly #dispatch: Dispatch;
  /** Those that have disks: that of the shared ones, and the switch where hosts have some. */
  readonly #withStores: AttachedWorker<StoresControl>[] = [];
  readonly #all: AnyWorker[] = [];
  readonly #states = new Map<number, PowerState>();
  #recording: RecordingWriter | undefined;
  readonly #frames: RecordedFrames | undefined;
  readonly #script: DirectorOutput[] = [];
  readonly #own = new Map<number, (answer: ProgramResult | Fetched | undefined) => void>();
  readonly #over: Promise<void>;
  #end: () => void = () => {};
  #watchdog: Watchdog | undefined;
  #startedMs = 0;
  #isHeld = false;
  /** Workers that have not said that they are ready, by index. */
  readonly #starting = new Set<number>();
  /** The last slice that each worker has passed, heard or not. */
  readonly #passed: number[] = [];
  #reason: StopReason | undefined;
  #result: unknown;
  #exception: string | undefined;
  #gone: WorkerGoneFact | undefined;
  #now: Nanos = 0;
  #nextTick: Nanos = SECOND;
  readonly #unheard: { readonly worker: number; readonly slice: number }[] = [];
  #worldSeq = 0;
  #events = 0;
  #lastOwnRequest = FIRST_OWN_REQUEST;

  /** @throws {ConfigError} for an impossible speed or slice. */
  constructor(config: WorkersConfig) {
    this.#config = config;
    this.#wall = config.wall ?? THREAD_WALL;
    this.#hangTimeoutMs = config.hangTimeoutMs ?? HANG_TIMEOUT_MS;
    const { topology, seed, speed, frames } = config;
    this.#frames = frames && new RecordedFrames(topology, seed, frames);
    const workers = topology.machines.length + 2;
    const sliceMs = config.sliceMs ?? Math.min(10, Math.max(2, 50 / speed));
    this.#clock = new HubClock({ workers, speed, sliceMs });
    this.#dispatch = new Dispatch(topology, this.#clock, () => this.#hear());
    this.#timeline = new Timeline(workers);
    this.checker = new Checker(config.invariants);
    this.#director = new Director(
      config.scenario,
      topology.machines.map(({ name }) => name),
      new SeededWorld(seed),
    );
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Cluster time up to which everything has been heard. */
  now(): Nanos {
    return this.#now;
  }

  get eventCount(): number {
    return this.#events;
  }

  get lostSlices(): number {
    return this.#clock.lostSlices;
  }

  /** Runs until the script has ended, a limit is met or something is wrong. Once only; it always comes to an end. */
  async run(): Promise<WorkersResult> {
    this.#startedMs = this.#wall.nowMs();
    this.#attempt(() => this.#beginRecording());
    this.#attempt(() => this.#attach());
    this.#watchdog = new Watchdog(this.#wall, START_PATIENCE * this.#hangTimeoutMs, () => this.#onHang());
    await this.#over;
    this.#clock.stop();
    for (const answer of this.#own.values()) answer(undefined);
    const { stores, imageHashes } = await this.#close();
    this.#attempt(() => this.#endRecording());
    return {
      reason: this.#reason!,
      result: this.#result,
      at: this.#now,
      events: this.#events,
      checked: this.checker.ids,
      idle: this.checker.idle,
      violations: this.checker.violations,
      exception: this.#exception,
      gone: this.#gone,
      stops: this.#clock.stops,
      lostSlices: this.#clock.lostSlices,
      wallMs: this.#wall.nowMs() - this.#startedMs,
      stores,
      imageHashes,
    };
  }

  /** Ends the run before its time. */
  stop(): void {
    this.#stop('stopped');
  }

  /**
   * Cluster time per wall time, at most, from the next slice on. The length of a slice in cluster time stays what it is.
   *
   * @throws {ConfigError} for an impossible speed.
   */
  setSpeed(speed: number): void {
    this.#clock.setSpeed(speed);
  }

  /** Lets the cluster's time stand, within two slices, until `release`. Nobody in the cluster notices. */
  hold(): void {
    this.#clock.hold();
    this.#isHeld = true;
    if (this.#starting.size === 0) this.#watchdog?.stop();
  }

  release(): void {
    if (!this.#isHeld || this.#reason !== undefined) return;
    this.#isHeld = false;
    if (this.#starting.size === 0) this.#watchdog?.restart(this.#hangTimeoutMs);
    const grant = this.#clock.release(this.#wall.nowMs());
    if (grant !== undefined) this.#grant(grant);
  }

  /** Does something to the lab, at once. */
  command(command: LabCommand): void {
    this.#obey(command);
  }

  /** Types a command on a machine; undefined if the machine is not up or goes down meanwhile, or the run ends. */
  exec(machine: string, command: string): Promise<ProgramResult | undefined> {
    return this.#ask((id) => this.#obey({ kind: 'exec', id, machine, command })) as Promise<ProgramResult | undefined>;
  }

  /** Asks for a page from the client's machine; undefined if the run ends meanwhile. */
  fetch(request: PageRequest): Promise<Fetched | undefined> {
    return this.#ask((id) => this.#obey({ kind: 'fetch', id, request })) as Promise<Fetched | undefined>;
  }

  /** The state of a machine as plain data; undefined when its worker is gone. */
  inspect(machine: string): Promise<unknown> {
    return this.#dispatch.machine(machine).call((control) => control.inspect());
  }

  // ── workers ────────────────────────────────────────────────────────────────────────────────────────────────────

  #attach(): void {
    const { topology } = this.#config;
    const toSwitch = topology.machines.map(({ id }) => ({ id, channel: new MessageChannel() }));
    const toDisks = topology.machines.map(({ id }) => ({ id, channel: new MessageChannel() }));
    const portsAt = (ends: typeof toSwitch) => ends.map(({ id, channel }) => ({ id, port: channel.port2 }));
    this.#dispatch.switch = this.#spawn('switch', { kind: 'switch', machines: portsAt(toSwitch) });
    this.#dispatch.disks = this.#spawn('disks', { kind: 'disks', machines: portsAt(toDisks) });
    this.#withStores.push(this.#dispatch.disks);
    if (disksOfHosts(topology).length > 0) this.#withStores.push(this.#dispatch.switch);
    topology.machines.forEach(({ id, name }, i) => {
      const [network, disks] = [toSwitch[i]!.channel.port1, toDisks[i]!.channel.port1];
      const role: Role = { kind: 'machine', id, toSwitch: network, toDisks: disks };
      this.#dispatch.machines.set(name, this.#spawn(name, role));
    });
  }

  #spawn<Control>(name: string, role: Role): AttachedWorker<Control> {
    const { topologyName, topologyOptions, storeOptions, seed, speed, watcher, recordTo, frames, spawn } = this.#config;
    const index = this.#all.length;
    this.#starting.add(index);
    this.#passed.push(0);
    const worker = new AttachedWorker<Control>(
      name,
      spawn(name),
      role,
      {
        topologyName,
        topologyOptions,
        storeOptions,
        seed,
        speed,
        sliceNanos: this.#clock.sliceNanos,
        kinds: this.#kinds(),
        wantsLog: watcher?.log !== undefined,
        isRecorded: recordTo !== undefined || (frames !== undefined && role.kind === 'switch'),
      },
      {
        ready: () => this.#onReady(index),
        report: (report) => this.#onReport(index, report),
        gone: (departure, failure) => this.#onGone(index, departure, failure),
      },
    );
    this.#all.push(worker);
    return worker;
  }

  /** Kinds of facts that somebody here wants; undefined: all. */
  #kinds(): readonly string[] | undefined {
    const { watcher, watchedKinds, invariants, scenario } = this.#config;
    if (watcher?.fact !== undefined && watchedKinds === undefined) return undefined;
    const checked = invariants.flatMap(({ kinds }) => kinds);
    return [...new Set([...checked, ...scenario.kinds, ...(watchedKinds ?? []), 'node.state'])];
  }

  #onReady(worker: number): void {
    this.#watchdog?.heard();
    this.#starting.delete(worker);
    if (this.#starting.size > 0 || this.#reason !== undefined) return;
    if (!this.#isHeld) this.#watchdog?.restart(this.#hangTimeoutMs);
    this.#attempt(() => {
      this.#director.step(0, { kind: 'start' }, this.#onDirector);
      this.#direct();
      this.#grant(this.#clock.start(this.#wall.nowMs()));
    });
  }

  #onReport(worker: number, { slice, events, items, record }: Report): void {
    if (this.#reason !== undefined) return;
    this.#watchdog?.heard();
    this.#events += events;
    this.#attempt(() => {
      if (record !== undefined) this.#onRecord(worker, record);
      if (items !== undefined) this.#timeline.add(worker, this.#reader.read(items));
    });
    this.#passed[worker] = slice;
    this.#unheard.push({ worker, slice });
    this.#hear();
  }

  /** Acknowledgements wait while a command that names an instant is under way: no clock may pass it before that. */
  #hear(): void {
    while (this.#dispatch.unconfirmed === undefined && this.#unheard.length > 0) {
      const { worker, slice } = this.#unheard.shift()!;
      this.#acknowledge(worker, slice);
    }
  }

  #acknowledge(worker: number, slice: number): void {
    const lost = this.#clock.lostSlices;
    const grant = this.#clock.acknowledge(worker, slice, this.#wall.nowMs());
    if (grant !== undefined) this.#grant(grant);
    this.#attempt(() => {
      if (this.#clock.lostSlices > lost) this.#config.watcher?.lost?.(this.#clock.lostSlices);
      this.#advance(this.#clock.settled);
    });
  }

  #beginRecording(): void {
    const { recordTo, scenario, topologyName, topologyOptions, topology, seed, speed } = this.#config;
    if (recordTo === undefined) return;
    const machines = topology.machines.map(({ name }): RecordedPart => ({ name, kind: 'machine' }));
    // In the order in which the workers are spawned.
    const parts: readonly RecordedPart[] = [
      { name: 'switch', kind: 'switch' },
      { name: 'disks', kind: 'disks' },
      ...machines,
    ];
    const { sliceNanos } = this.#clock;
    const header = { scenario: scenario.name, topologyName, topologyOptions, seed, speed, sliceNanos, parts };
    this.#recording = new RecordingWriter(header, recordTo);
  }

  #onRecord(worker: number, piece: RecordPiece): void {
    this.#recording?.piece(worker, piece);
    if (this.#all[worker] === this.#dispatch.switch) this.#frames?.piece(piece);
  }

  #endRecording(): void {
    const gone = this.#gone;
    const threw = gone?.reason === 'threw' ? { part: gone.worker, message: gone.message } : null;
    this.#recording?.end({ reason: this.#reason!, at: this.#now, threw });
  }

  #grant(grant: Grant): void {
    for (const worker of this.#all) worker.grant(grant);
  }

  #onHang(): void {
    const [starting] = this.#starting;
    const { unconfirmed } = this.#dispatch;
    const least = Math.min(...this.#passed);
    if (starting !== undefined) this.#all[starting]!.depart({ reason: 'hung', message: 'not ready' });
    else if (unconfirmed !== undefined) unconfirmed.depart({ reason: 'hung', message: 'a command is not confirmed' });
    else {
      const message = `slice ${least + 1} is not acknowledged`;
      this.#all[this.#passed.indexOf(least)]!.depart({ reason: 'hung', message });
    }
  }

  #onGone(index: number, departure: Departure, failure: Failure | undefined): void {
    if (this.#gone !== undefined) return;
    const worker = this.#all[index]!.name;
    this.#gone = { kind: 'workers.gone', now: this.#now, worker, ...departure };
    this.#fail('gone');
    this.#attempt(() => {
      if (failure?.record !== undefined) this.#onRecord(index, failure.record);
      if (failure?.thrown !== undefined) this.#tellThrown(worker, failure.thrown);
      this.#worldFact({ ...this.#gone! });
    });
  }

  /** For the rules: a machine may never throw. */
  #tellThrown(machine: string, { input, message }: NonNullable<Failure['thrown']>): void {
    const id = nicOf(this.#config.topology, machine);
    const fact: ThrownFact = { kind: 'machine.thrown', now: this.#now, machine, id, input, message };
    this.#worldFact(fact);
  }

  #stop(reason: StopReason): void {
    this.#reason ??= reason;
    this.#end();
  }

  /** Like `stop`; a script that has ended well does not count any more. */
  #fail(reason: 'gone' | 'exception'): void {
    if (this.#reason === 'ended') this.#reason = reason;
    this.#stop(reason);
  }

  /** Ends the workers, those that are needed no more first, and looks at the disks. */
  async #close(): Promise<FetchedDisks> {
    const { scenario, wantsStores } = this.#config;
    this.#watchdog?.stop();
    const needed: ReadonlySet<AnyWorker> = new Set(this.#withStores);
    await Promise.all(this.#all.filter((worker) => !needed.has(worker)).map((worker) => worker.stop()));
    const hasEnded = this.#reason === 'ended';
    const isLookedAt = wantsStores === true || (hasEnded && scenario.atEnd !== undefined);
    const disks = isLookedAt ? await this.#fetchStores() : NO_DISKS;
    await this.#closeStores();
    await Promise.all(this.#withStores.map((worker) => worker.stop()));
    if (hasEnded && this.#gone === undefined) {
      this.#attempt(() => {
        for (const fact of scenario.atEnd?.(disks.stores, this.#now) ?? []) this.#worldFact(fact);
        this.checker.end(this.#now);
      });
    }
    return disks;
  }

  async #fetchStores(): Promise<FetchedDisks> {
    const all: FetchedDisks[] = [];
    for (const worker of this.#withStores) {
      const otherwise = 'it does not hand over the disks';
      all.push(await this.#patiently(worker, otherwise, (heard) => fetchStores(worker, heard)));
    }
    return {
      stores: new Map(all.flatMap(({ stores }) => [...stores])),
      imageHashes: new Map(all.flatMap(({ imageHashes }) => [...imageHashes])),
    };
  }

  async #closeStores(): Promise<void> {
    if (this.#config.storeOptions === undefined) return;
    for (const worker of this.#withStores) {
      const otherwise = 'it does not close the disks';
      await this.#patiently(worker, otherwise, () => worker.call((control) => control.close()));
    }
  }

  /** Does something with a worker that has disks, which counts as hung when nothing is heard of it for too long. */
  async #patiently<Result>(
    worker: AttachedWorker<StoresControl>,
    otherwise: string,
    work: (heard: () => void) => Promise<Result>,
  ): Promise<Result> {
    const watchdog = new Watchdog(this.#wall, this.#hangTimeoutMs, () =>
      worker.depart({ reason: 'hung', message: otherwise }),
    );
    try {
      return await work(() => watchdog.heard());
    } finally {
      watchdog.stop();
    }
  }

  /** What throws here is the script's, a rule's or a watcher's. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#exception ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#fail('exception');
    }
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Handles, in order, everything that happened up to an instant that all workers have passed. */
  #advance(settled: Nanos): void {
    const end = Math.min(settled, this.#config.maxTime ?? MAX_TIME);
    while (this.#reason === undefined) {
      const told = this.#timeline.deadline();
      const due = this.#director.deadline();
      const at = Math.min(told, due, this.#nextTick);
      if (at > end) break;
      this.#now = Math.max(this.#now, at);
      if (at === told) this.#onItem(this.#timeline.shift()!);
      else if (at === due) this.#director.step(this.#now, { kind: 'wake' }, this.#onDirector);
      else this.#tick();
      this.#direct();
      if (this.checker.violations.length > 0 && this.#config.keepGoing !== true) this.#stop('violation');
    }
    if (this.#reason !== undefined) return;
    this.#now = Math.max(this.#now, end);
    if (end < settled) this.#stop('time');
  }

  #tick(): void {
    this.checker.tick(this.#now);
    this.#nextTick += SECOND;
  }

  #onItem(item: Item): void {
    switch (item.kind) {
      case 'fact':
        return this.#onFact(item.fact);
      case 'log':
        return this.#config.watcher?.log?.(item.line);
      case 'replied':
      case 'fetched':
        return this.#onAnswer(item);
      case 'switch-power':
        return this.#onSwitch(item);
    }
  }

  #onFact(fact: Stamped): void {
    if (fact.node === 0) {
      this.#worldSeq += 1;
      Object.assign(fact, { seq: this.#worldSeq });
    }
    if (fact.kind === 'node.state') this.#states.set(fact.node, (fact as Stamped<NodeStateFact>).state);
    this.checker.observe(fact);
    if (this.#director.wants(fact.kind)) this.#director.step(this.#now, { kind: 'fact', fact }, this.#onDirector);
    this.#config.watcher?.fact?.(fact);
  }

  #worldFact(fact: Fact): void {
    this.#onFact(Object.assign(fact, { node: 0, life: 0, seq: 0, at: this.#now }));
  }

  #onAnswer(item: Item & { kind: 'replied' | 'fetched' }): void {
    const own = this.#own.get(item.id);
    if (own !== undefined) {
      this.#own.delete(item.id);
      return own(item.result);
    }
    const { id } = item;
    if (item.kind === 'fetched') {
      this.#director.step(this.#now, { kind: 'fetched', id, result: item.result }, this.#onDirector);
    } else this.#director.step(this.#now, { kind: 'replied', id, result: item.result }, this.#onDirector);
  }

  /** The switch says what it has seen: that a machine is off only when all have passed the instant at which it was. */
  #onSwitch({ machine, id, request }: Item & { kind: 'switch-power' }): void {
    const names = [...this.#dispatch.machines.keys()];
    const { reply, command } = switchPower(request as Parameters<typeof switchPower>[0], names, (name) =>
      this.#stateOf(name),
    );
    this.#dispatch.toMachine(machine, { kind: 'power-switched', id, reply });
    if (command !== undefined) this.#obey(command);
  }

  #stateOf(name: string): PowerState {
    const { id } = this.#config.topology.machines.find((machine) => machine.name === name)!;
    return this.#states.get(id) ?? 'off';
  }

  // ── the script ─────────────────────────────────────────────────────────────────────────────────────────────────

  readonly #onDirector = (output: DirectorOutput): void => {
    if (output.kind === 'progress') this.#config.watcher?.progress?.(this.#now, output.progress);
    else if (output.kind === 'fact') this.#worldFact(output.fact);
    else this.#script.push(output);
  };

  #direct(): void {
    for (let next = this.#script.shift(); next !== undefined; next = this.#script.shift()) this.#obey(next);
  }

  #obey(output: DirectorOutput): void {
    switch (output.kind) {
      case 'ended':
        this.#result = output.result;
        return this.#stop('ended');
      case 'fact':
      case 'progress':
        return;
      default:
        return this.#dispatch.obey(output, this.#now);
    }
  }

  #ask(start: (id: number) => void): Promise<unknown> {
    if (this.#reason !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#lastOwnRequest += 1;
      this.#own.set(this.#lastOwnRequest, resolve);
      start(this.#lastOwnRequest);
    });
  }
}
