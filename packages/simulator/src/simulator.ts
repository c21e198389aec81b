import type { PowerRequest } from '@quorate/fencing';
import {
  Checker,
  type Fact,
  type Invariant,
  murmur3,
  murmur3Of,
  type Nanos,
  type ProgramResult,
  SECOND,
  type Seed,
  SeededWorld,
  type Stamped,
  type Violation,
  type World,
} from '@quorate/kernel';
import {
  Director,
  type DirectorInput,
  type DirectorOutput,
  diskInputsOf,
  type Fault,
  type Fetched,
  type Host,
  type HostOutput,
  initiatorPort,
  type LabCommand,
  type LabOrder,
  type MachineFact,
  machineConfig,
  NodeClock,
  networkConfig,
  networkInputOf,
  newHost,
  nicOf,
  type PageRequest,
  type RunWatcher,
  type Scenario,
  type SessionState,
  switchPower,
  type ThrownFact,
  type Topology,
  targetConfig,
  VirtualMachine,
  type VirtualMachineInput,
  type VirtualMachineOutput,
} from '@quorate/lab';
import { Network, type NetworkOutput } from '@quorate/network';
import { type BlockStore, ScsiTarget, type TargetOutput } from '@quorate/scsi';
import { EventKind, type EventTap, TraceRing } from '@quorate/trace';
import { ReplayDiverged } from './decisions/replayed-world.js';
import { EventHash } from './event-hash.js';
import { Fabric } from './fabric.js';
import { type Parcel, Parcels } from './parcels.js';
import { EventClass, Wakeups } from './wakeups.js';

/** Why a run stopped. */
export type StopReason = 'ended' | 'time' | 'events' | 'idle' | 'violation' | 'livelock' | 'exception' | 'diverged';

export interface SimulatorConfig {
  readonly scenario: Scenario;
  readonly topology: Topology;
  readonly seed: Seed;
  /** What the world does; drawn from the seed when absent. */
  readonly world?: World;
  readonly invariants: readonly Invariant[];
  /** Where disks are written, by LUN, each with the content that the topology gives it; others in memory. */
  readonly stores?: ReadonlyMap<number, BlockStore>;
  /** Drift of each machine's clock in ppm, by host name. */
  readonly drift?: ReadonlyMap<string, number>;
  readonly maxEvents?: number;
  readonly maxTime?: Nanos;
  /** Whether the run stops at the first violation (default) or goes on. */
  readonly keepGoing?: boolean;
  readonly watcher?: RunWatcher;
  /** Kinds of facts that `watcher.fact` wants; absent: all. */
  readonly watchedKinds?: readonly string[];
  readonly tap?: EventTap;
}

export interface RunResult {
  readonly reason: StopReason;
  /** What the scenario's script ended with; undefined if it did not end. */
  readonly result: unknown;
  readonly at: Nanos;
  readonly events: number;
  readonly hash: string;
  readonly violations: readonly Violation[];
  /** Message and stack of an exception of a machine, or where a replay diverged. */
  readonly exception: string | undefined;
}

/** Actors: the director, the network, the disks, the checker, the way to the disks, then machines, then hosts. */
const DIRECTOR = 0;
const NETWORK = 1;
const DISKS = 2;
const CHECKER = 3;
const FABRIC = 4;
const FIRST_MACHINE = 5;

const NOTHING = new Uint8Array(0);

const MAX_EVENTS = 50_000_000;
const MAX_TIME: Nanos = 3600 * SECOND;
const LIVELOCK_EVENTS = 100_000;
/** Numbers of what is asked beside the script are above those of the script. */
const FIRST_OWN_REQUEST = 0x8000_0000;

/** Something that was asked beside the script. */
interface OwnRequest {
  readonly id: number;
  isAnswered: boolean;
  answer?: ProgramResult | Fetched | undefined;
}

interface MachineActor {
  readonly vm: VirtualMachine;
  readonly clock: NodeClock;
  readonly name: string;
  readonly nic: number;
  readonly actor: number;
  readonly emit: (output: VirtualMachineOutput) => void;
  /** It was stepped in this event: its deadline may have moved. */
  isStale: boolean;
}

interface HostActor {
  readonly host: Host;
  readonly nic: number;
  readonly actor: number;
  readonly emit: (output: HostOutput) => void;
  isStale: boolean;
}

/**
 * The deterministic driver: machines, hosts, network and disks in one heap, under virtual time.
 *
 * One event is one dispatch: a wake-up, a frame that reaches a machine, a disk command that ends there, a step of the
 * script. Their order is the triple (time, class, sequence), so one seed gives one run. Nothing outside of it can be
 * asked while it runs, and watchers only hear. Between two events an embedder may act on the lab beside the script.
 */
export class Simulator {
  readonly checker: Checker;
  readonly ring: TraceRing;
  readonly stores: ReadonlyMap<number, BlockStore>;
  /** The disks as they were before the run, by LUN. */
  readonly images: ReadonlyMap<number, BlockStore>;
  readonly #config: SimulatorConfig;
  readonly #watchedKinds: ReadonlySet<string> | undefined;
  readonly #hash = new EventHash();
  readonly #wakeups: Wakeups;
  readonly #parcels = new Parcels();
  readonly #director: Director;
  readonly #network: Network;
  readonly #fabric: Fabric;
  readonly #target: ScsiTarget;
  readonly #machines: MachineActor[] = [];
  readonly #machineByName = new Map<string, MachineActor>();
  readonly #hosts: HostActor[] = [];
  /** Machines and hosts by the number of their NIC. */
  readonly #byNic = new Map<number, MachineActor | HostActor>();
  readonly #script: DirectorOutput[] = [];
  readonly #heard: Stamped[] = [];
  /** What the script waits for: ends of commands, and pages. */
  readonly #answers: Extract<DirectorInput, { kind: 'replied' | 'fetched' }>[] = [];
  readonly #switched: { readonly asker: MachineActor; readonly input: VirtualMachineInput }[] = [];
  /** Those that were stepped in this event: their deadlines may have moved. */
  readonly #stale: (MachineActor | HostActor)[] = [];
  #staleCount = 0;
  #isDirectorStale = false;
  /** The machine that is being stepped, and with what kind of input. */
  #stepping: MachineActor | undefined;
  #steppedWith = '';
  #worldSeq = 0;
  #now: Nanos = 0;
  #events = 0;
  #eventsNow = 0;
  #ownRequest: OwnRequest | undefined;
  #lastOwnRequest = FIRST_OWN_REQUEST;
  #hasStarted = false;
  #hasEnded = false;
  #result: unknown;
  #exception: string | undefined;
  #failure: 'diverged' | 'exception' | undefined;

  constructor(config: SimulatorConfig) {
    this.#config = config;
    const { topology, seed, scenario } = config;
    this.#watchedKinds = config.watchedKinds && new Set(config.watchedKinds);
    const world = config.world ?? new SeededWorld(seed);
    this.checker = new Checker(config.invariants);
    this.ring = new TraceRing();
    this.#wakeups = new Wakeups(FIRST_MACHINE + topology.machines.length + topology.hosts.length);
    this.#director = new Director(
      scenario,
      topology.machines.map(({ name }) => name),
      world,
    );
    this.#network = new Network({ ...networkConfig(topology, world), observe: (fact) => this.#worldFact(fact) });
    this.#fabric = new Fabric((nexus) => world.choices(`fabric/${nexus}`));
    const target = targetConfig(topology, world, config.stores);
    this.#target = new ScsiTarget({ ...target.config, observe: (fact) => this.#worldFact(fact) });
    let actor = FIRST_MACHINE;
    for (const spec of topology.machines) {
      const vm = new VirtualMachine(machineConfig(topology, spec, seed, (fact) => this.#machineFact(fact)));
      const clock = new NodeClock(config.drift?.get(spec.name) ?? 0);
      const machine: MachineActor = {
        vm,
        clock,
        name: spec.name,
        nic: spec.id,
        actor,
        emit: (output) => this.#onMachine(machine, output),
        isStale: false,
      };
      this.#machines.push(machine);
      actor += 1;
    }
    const stores = new Map(target.stores);
    const images = new Map(target.images);
    for (const spec of topology.hosts) {
      const observe = (fact: Fact): void => this.#worldFact(fact);
      const { host, disks } = newHost(topology, spec, {
        seed,
        world,
        ...(config.stores && { given: config.stores }),
        observe,
      });
      for (const [lun, store] of disks.stores) stores.set(lun, store);
      for (const [lun, image] of disks.images) images.set(lun, image);
      const emit = (output: HostOutput): void => this.#onHost(spec.nic, output);
      this.#hosts.push({ host, nic: spec.nic, actor, emit, isStale: false });
      actor += 1;
    }
    this.stores = stores;
    this.images = images;
    for (const each of this.#machines) this.#machineByName.set(each.name, each);
    for (const each of [...this.#machines, ...this.#hosts]) this.#byNic.set(each.nic, each);
  }

  now(): Nanos {
    return this.#now;
  }

  get eventCount(): number {
    return this.#events;
  }

  /** 16 hex digits over all events so far. */
  hash(): string {
    return this.#hash.digest();
  }

  /** The state of everything, as plain data. */
  inspect(): unknown {
    return { at: this.#now, machines: this.#machines.map(({ name, vm }) => ({ name, ...(vm.inspect() as object) })) };
  }

  /** Runs until the script has ended, a limit is met, or the instant `until` has passed. */
  run(until: Nanos = Infinity): RunResult {
    let reason: StopReason | undefined;
    try {
      if (!this.#hasStarted) this.#start();
      while (reason === undefined) reason = this.#step(until);
    } catch (error) {
      reason = this.#onThrown(error);
    }
    return {
      reason,
      result: this.#result,
      at: this.#now,
      events: this.#events,
      hash: this.hash(),
      violations: this.checker.violations,
      exception: this.#exception,
    };
  }

  /** Does something to the lab now, between two events. */
  command(command: LabCommand): void {
    this.#act(command);
  }

  /**
   * Types a command on a machine and runs until it has ended; undefined if the machine is not up or goes down meanwhile, if it
   * takes longer than `patience`, or if the run does not go on: `run` says why.
   */
  exec(machine: string, command: string, patience: Nanos = Infinity): ProgramResult | undefined {
    return this.#ask((id) => ({ kind: 'exec', id, machine, command }), patience) as ProgramResult | undefined;
  }

  /** Asks for a page from the client's machine and runs until it is there; undefined if the run does not go on. */
  fetch(request: PageRequest): Fetched | undefined {
    return this.#ask((id) => ({ kind: 'fetch', id, request })) as Fetched | undefined;
  }

  #ask(orderOf: (id: number) => LabOrder, patience: Nanos = Infinity): ProgramResult | Fetched | undefined {
    this.#lastOwnRequest += 1;
    const request: OwnRequest = { id: this.#lastOwnRequest, isAnswered: false };
    this.#ownRequest = request;
    this.#act(orderOf(request.id));
    try {
      const until = this.#now + patience;
      while (!request.isAnswered && this.#step(until) === undefined);
    } catch (error) {
      this.#onThrown(error);
    }
    this.#ownRequest = undefined;
    return request.answer;
  }

  #act(order: LabOrder): void {
    try {
      if (!this.#hasStarted) this.#start();
      this.#obey(order);
      this.#settle();
    } catch (error) {
      this.#onThrown(error);
    }
  }

  #onThrown(error: unknown): StopReason {
    this.#exception = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
    this.#failure = error instanceof ReplayDiverged ? 'diverged' : 'exception';
    if (this.#failure === 'exception') this.#tellThrown(error);
    return this.#failure;
  }

  #start(): void {
    this.#hasStarted = true;
    for (const host of this.#hosts) this.#stepHost(host, { kind: 'carrier', isUp: true });
    for (const { nic } of this.#machines) this.#setNic(nic, false);
    this.#wakeups.set(0, CHECKER, SECOND, EventClass.checker);
    this.#stepDirector({ kind: 'start' });
    this.#settle();
  }

  /** One event and what follows from it at the same instant. Undefined: go on. */
  #step(until: Nanos): StopReason | undefined {
    if (this.#hasEnded) return 'ended';
    if (this.#failure !== undefined) return this.#failure;
    if (this.checker.violations.length > 0 && this.#config.keepGoing !== true) return 'violation';
    const due = this.#wakeups.next(Math.min(until, this.#config.maxTime ?? MAX_TIME));
    if (due === undefined) return this.#wakeups.size === 0 ? 'idle' : 'time';
    if (due.at > this.#now) this.#eventsNow = 0;
    this.#now = due.at;
    if (this.#eventsNow > LIVELOCK_EVENTS) return 'livelock';
    if (this.#events >= (this.#config.maxEvents ?? MAX_EVENTS)) return 'events';
    this.#wake(due.actor);
    this.#settle();
    return undefined;
  }

  #wake(actor: number): void {
    const firstHost = FIRST_MACHINE + this.#machines.length;
    if (actor >= firstHost) {
      const host = this.#hosts[actor - firstHost]!;
      this.#count(EventClass.timer, host.nic, EventKind.timer, 0, 0, undefined);
      this.#stepHost(host, WAKE);
    } else if (actor >= FIRST_MACHINE) {
      const machine = this.#machines[actor - FIRST_MACHINE]!;
      this.#count(EventClass.timer, machine.nic, EventKind.timer, 0, 0, undefined);
      this.#stepMachine(machine, WAKE);
    } else if (actor === FABRIC) this.#onArrivals();
    else if (actor === NETWORK) this.#network.step(this.#now, WAKE, this.#onNetwork);
    else if (actor === DISKS) this.#target.step(this.#now, WAKE, this.#onTarget);
    else if (actor === DIRECTOR) {
      this.#count(EventClass.script, 0, EventKind.timer, 0, 0, undefined);
      this.#stepDirector(WAKE);
    } else {
      this.checker.tick(this.#now);
      this.#wakeups.set(this.#now, CHECKER, this.#now + SECOND, EventClass.checker);
    }
  }

  #onArrivals(): void {
    for (let next = this.#fabric.arrived(this.#now); next !== undefined; next = this.#fabric.arrived(this.#now)) {
      const { nexus, lun, tag, cdb, data } = next;
      this.#count(EventClass.disk, nexus, EventKind.arrive, tag, cdb[0]!, undefined);
      if (data.length > 0) this.#hash.word(murmur3(data));
      this.#target.step(this.#now, { kind: 'command', nexus, lun, tag, cdb, data }, this.#onTarget);
      this.#fabric.done(next);
    }
  }

  /** Hands over everything that was emitted, until nothing is left at this instant, then notes the new deadlines. */
  #settle(): void {
    for (;;) {
      const parcel = this.#parcels.shift();
      if (parcel !== undefined) {
        this.#deliver(parcel);
        continue;
      }
      const switched = this.#switched.shift();
      if (switched !== undefined) this.#stepMachine(switched.asker, switched.input);
      else if (this.#heard.length > 0 || this.#answers.length > 0) this.#tellDirector();
      else if (this.#script.length > 0) this.#obey(this.#script.shift()!);
      else break;
    }
    const now = this.#now;
    if (this.#isDirectorStale) this.#wakeups.set(now, DIRECTOR, this.#director.deadline(), EventClass.script);
    this.#isDirectorStale = false;
    this.#wakeups.set(now, NETWORK, this.#network.deadline(), EventClass.frame);
    this.#wakeups.set(now, FABRIC, this.#fabric.deadline(), EventClass.disk);
    this.#wakeups.set(now, DISKS, this.#target.deadline(), EventClass.disk);
    for (let i = 0; i < this.#staleCount; i++) {
      const each = this.#stale[i]!;
      each.isStale = false;
      if ('vm' in each) {
        const eventClass = each.vm.state === 'booting' ? EventClass.lifeCycle : EventClass.timer;
        this.#wakeups.set(now, each.actor, each.clock.global(each.vm.deadline()), eventClass);
      } else this.#wakeups.set(now, each.actor, each.host.deadline(), EventClass.timer);
    }
    this.#staleCount = 0;
  }

  #deliver(parcel: Parcel): void {
    const { bytes } = parcel;
    const to = this.#byNic.get(parcel.to)!;
    if (parcel.kind === 'frame') {
      this.#count(EventClass.frame, parcel.to, EventKind.receive, parcel.id, bytes.length, parcel);
      if ('vm' in to) this.#stepMachine(to, { kind: 'frame', nic: 0, bytes });
      else this.#stepHost(to, { kind: 'frame', bytes });
    } else if ('vm' in to) {
      const { id: tag, status, sense } = parcel;
      this.#count(EventClass.disk, parcel.to, EventKind.done, tag, status, parcel);
      this.#stepMachine(to, { kind: 'io-done', tag, status, sense, data: bytes });
    }
    this.#parcels.done(parcel);
  }

  #tellDirector(): void {
    for (const fact of this.#heard.splice(0)) {
      this.#stepDirector({ kind: 'fact', fact });
    }
    for (const answer of this.#answers.splice(0)) {
      if (answer.id !== this.#ownRequest?.id) this.#stepDirector(answer);
      else Object.assign(this.#ownRequest, { isAnswered: true, answer: answer.result });
    }
  }

  #stepMachine(machine: MachineActor, input: VirtualMachineInput): void {
    this.#deadlineMayMove(machine);
    this.#stepping = machine;
    this.#steppedWith = input.kind;
    machine.vm.step(machine.clock.local(this.#now), input, machine.emit);
    this.#stepping = undefined;
  }

  /** For the rules: what the script or a host throws is none of theirs. */
  #tellThrown(error: unknown): void {
    const machine = this.#stepping;
    if (machine === undefined) return;
    const message = error instanceof Error ? error.message : String(error);
    const { name, nic: id } = machine;
    const fact: ThrownFact = {
      kind: 'machine.thrown',
      now: this.#now,
      machine: name,
      id,
      input: this.#steppedWith,
      message,
    };
    this.#worldFact(fact);
  }

  #deadlineMayMove(actor: MachineActor | HostActor): void {
    if (actor.isStale) return;
    actor.isStale = true;
    this.#stale[this.#staleCount++] = actor;
  }

  #stepDirector(input: DirectorInput): void {
    this.#isDirectorStale = true;
    this.#director.step(this.#now, input, this.#onDirector);
  }

  #stepHost(actor: HostActor, input: Parameters<Host['step']>[1]): void {
    this.#deadlineMayMove(actor);
    actor.host.step(this.#now, input, actor.emit);
  }

  #onHost(nic: number, output: HostOutput): void {
    if (output.kind === 'frame') this.#send(nic, output.bytes);
    else this.#answers.push({ ...output, kind: 'fetched' });
  }

  #send(nic: number, bytes: Uint8Array): void {
    this.#config.tap?.sends(bytes);
    this.#network.step(this.#now, { kind: 'send', nic, bytes }, this.#onNetwork);
  }

  #onMachine(machine: MachineActor, output: VirtualMachineOutput): void {
    switch (output.kind) {
      case 'frame':
        this.#send(machine.nic, output.bytes);
        break;
      case 'io': {
        const { tag, lun, cdb, data } = output;
        this.#config.tap?.submits(this.#now, machine.nic, lun, tag, cdb);
        this.#fabric.send(this.#now, machine.nic, lun, tag, cdb, data);
        break;
      }
      case 'power':
        break;
      case 'link':
        this.#setNic(machine.nic, output.isUp);
        break;
      case 'session':
        this.#onSession(machine, output.state);
        break;
      case 'replied':
        this.#answers.push(output);
        break;
      case 'log': {
        const { priority, tag, text, wallSec } = output;
        this.#config.watcher?.log?.({ at: this.#now, machine: machine.name, priority, tag, text, wallSec });
        break;
      }
      case 'switch-power':
        this.#onSwitch(machine, output.id, output.request as PowerRequest);
        break;
    }
  }

  #setNic(nic: number, isUp: boolean): void {
    this.#network.step(this.#now, { kind: 'nic', nic, isUp }, this.#onNetwork);
  }

  #onSession({ nic: nexus, name }: MachineActor, state: SessionState): void {
    if (state === 'begun') {
      const port = initiatorPort({ id: nexus, name });
      this.#target.step(this.#now, { kind: 'login', nexus, port }, this.#onTarget);
      return;
    }
    const isNoticed = state === 'broken';
    if (isNoticed) this.#fabric.drop(this.#now, nexus);
    else this.#fabric.lose(this.#now, nexus);
    this.#target.step(this.#now, { kind: 'nexus-lost', nexus, isNoticed }, this.#onTarget);
  }

  /** The answer comes after the step of the machine that asked, and before the power is switched. */
  #onSwitch(asker: MachineActor, id: number, request: PowerRequest): void {
    const names = this.#machines.map(({ name }) => name);
    const { reply, command } = switchPower(request, names, (name) => this.#named(name).vm.state);
    this.#switched.push({ asker, input: { kind: 'power-switched', id, reply } });
    if (command !== undefined) this.#script.push(command);
  }

  readonly #onNetwork = (output: NetworkOutput): void => {
    if (output.kind === 'deliver') this.#parcels.frame(output.nic, output.id, output.bytes);
  };

  readonly #onTarget = (output: TargetOutput): void => {
    if (output.kind !== 'response') return;
    const { nexus, tag, status, sense, data } = output;
    this.#parcels.response(nexus, tag, status, sense, data);
  };

  readonly #onDirector = (output: DirectorOutput): void => {
    if (output.kind === 'progress') this.#config.watcher?.progress?.(this.#now, output.progress);
    else if (output.kind === 'fact') this.#worldFact(output.fact);
    else this.#script.push(output);
  };

  #obey(output: DirectorOutput): void {
    this.#count(EventClass.script, 0, EventKind.timer, this.#script.length, 0, undefined);
    switch (output.kind) {
      case 'power-on':
      case 'power-off':
      case 'pause':
      case 'resume':
        this.#stepMachine(this.#named(output.machine), { kind: output.kind });
        break;
      case 'link':
        this.#stepMachine(this.#named(output.machine), { kind: 'carrier', nic: 0, isUp: output.isUp });
        break;
      case 'disk-path':
        this.#stepMachine(this.#named(output.machine), { kind: 'disk-path', isUp: output.isUp });
        break;
      case 'fetch':
        for (const host of this.#hosts) this.#stepHost(host, output);
        break;
      case 'partition': {
        const from = output.from.map(this.#nicOf);
        const to = output.to.map(this.#nicOf);
        this.#network.step(this.#now, { kind: 'partition', from, to }, this.#onNetwork);
        if (output.isBothWays) {
          this.#network.step(this.#now, { kind: 'partition', from: to, to: from }, this.#onNetwork);
        }
        break;
      }
      case 'heal': {
        const from = output.from?.map(this.#nicOf);
        const to = output.to?.map(this.#nicOf);
        this.#network.step(this.#now, { kind: 'heal', ...(from && { from }), ...(to && { to }) }, this.#onNetwork);
        break;
      }
      case 'fault':
        this.#fail(output.fault);
        break;
      case 'exec':
        this.#stepMachine(this.#named(output.machine), { kind: 'exec', id: output.id, command: output.command });
        break;
      case 'ended':
        this.#hasEnded = true;
        this.#result = output.result;
        for (const fact of this.#config.scenario.atEnd?.(this.stores, this.#now) ?? []) this.#worldFact(fact);
        this.checker.end(this.#now);
        break;
      case 'fact':
      case 'progress':
        break;
    }
  }

  #fail(fault: Fault): void {
    const now = this.#now;
    const { topology } = this.#config;
    switch (fault.kind) {
      case 'links':
      case 'clog':
        this.#network.step(now, networkInputOf(fault, topology, now), this.#onNetwork);
        break;
      case 'clock-drift': {
        const machine = this.#named(fault.machine);
        machine.clock.setDrift(now, fault.ppm);
        this.#deadlineMayMove(machine);
        break;
      }
      case 'clock-step':
        this.#stepMachine(this.#named(fault.machine), fault);
        break;
      case 'disks': {
        const { target, host } = diskInputsOf(fault, topology, now);
        this.#target.step(now, target, this.#onTarget);
        for (const each of this.#hosts) this.#stepHost(each, host);
        break;
      }
      case 'program':
        this.#stepMachine(this.#named(fault.machine), { kind: 'program-fault', fault: fault.fault });
        break;
    }
  }

  readonly #nicOf = (name: string): number => nicOf(this.#config.topology, name);

  #named(name: string): MachineActor {
    const machine = this.#machineByName.get(name);
    if (machine === undefined) throw new RangeError(`no machine named ${name}`);
    return machine;
  }

  #count(eventClass: number, node: number, kind: number, a: number, b: number, parcel: Parcel | undefined): void {
    this.#events += 1;
    this.#eventsNow += 1;
    const now = this.#now;
    const hash = this.#hash;
    hash.event(now, (eventClass << 24) | (node << 16) | kind, a, b);
    if (parcel !== undefined) hash.word(murmur3Of(parcel.view, parcel.bytes.length));
    this.ring.add(now, this.#events, kind, node, eventClass, a, b, parcel?.bytes.length ?? 0);
    const { tap } = this.#config;
    tap?.event(now, this.#events, kind, node, a, b, parcel?.bytes ?? NOTHING, parcel?.sense ?? NOTHING);
  }

  #machineFact(fact: MachineFact): void {
    const stamped = fact as Mutable<MachineFact & Stamped>;
    stamped.at = this.#now;
    this.#onFact(stamped);
  }

  #worldFact(fact: Fact): void {
    this.#worldSeq += 1;
    const stamped = fact as Mutable<Stamped>;
    stamped.node = 0;
    stamped.life = 0;
    stamped.seq = this.#worldSeq;
    stamped.at = this.#now;
    this.#onFact(stamped);
  }

  #onFact(fact: Stamped): void {
    this.checker.observe(fact);
    if (this.#director.wants(fact.kind)) this.#heard.push(fact);
    if (this.#watchedKinds?.has(fact.kind) !== false) this.#config.watcher?.fact?.(fact);
  }
}

const WAKE = { kind: 'wake' } as const;

/** A fact is its observer's, who may write the stamp into it: some 180 000 of them a run, and none is copied. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
