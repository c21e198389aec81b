import {
  type Errno,
  type InterfaceInfo,
  type LogPriority,
  type Nanos,
  type Observe,
  PENDING,
  type ProcessInfo,
  type Program,
  type ProgramResult,
  type RunOptions,
  type Task,
  type TaskId,
  TaskRunner,
  WallClock,
  type WallTime,
} from '@quorate/kernel';
import { type IpInput, parseInterfaceAddress, parseIpv4 } from '@quorate/network';
import type { Disks } from './disks.js';
import { baseName, type RootFiles } from './files.js';
import { MountTable } from './mounts.js';
import { Process } from './process.js';
import { ProgramFaults } from './program-faults.js';
import { isPort, Sockets } from './sockets.js';
import type { SystemCall } from './system-call.js';

/** Who adopts the processes of those that have ended. */
const INIT_PID = 1;

/** What the operating system needs of the node around it. */
export interface SystemPorts {
  readonly hostname: string;
  readonly files: RootFiles;
  readonly disks: Disks;
  readonly programs: ReadonlyMap<string, Program>;
  toStack(input: IpInput): void;
  /** An id for a TCP connection that no other has. */
  newConnection(): number;
  interfaces(): readonly InterfaceInfo[];
  log(priority: LogPriority, tag: string, text: string): void;
  halt(how: 'poweroff' | 'reboot'): void;
  /** Serves a call that the node's daemons or file systems answer: at once, or PENDING and later through `reply`. */
  serve(task: TaskId, call: SystemCall): unknown;
  /** What it had open in a mounted file system is to be closed. */
  processEnded(pid: number): void;
  readonly observe: Observe | undefined;
}

interface Running {
  readonly process: Process;
  /** Undefined for a daemon, which is a machine and no task. */
  readonly task: TaskId | undefined;
  /** Told how it ended; absent for what was spawned. */
  readonly ended: ((result: ProgramResult) => void) | undefined;
  /** What it does when a signal comes, by the signal. */
  readonly traps: Map<number, () => Task<number>>;
  /** It does what such a signal has it do: no other one but SIGKILL counts any more. */
  readonly isEnding: boolean;
}

const SIGKILL = 9;

/** Processes and the calls they make; one per life of a node. */
export class OperatingSystem {
  readonly hostname: string;
  readonly files: RootFiles;
  readonly disks: Disks;
  readonly mountTable: MountTable = new MountTable();
  readonly sockets: Sockets;
  readonly faults: ProgramFaults = new ProgramFaults();
  readonly #ports: SystemPorts;
  readonly #runner: TaskRunner;
  readonly #running = new Map<number, Running>();
  readonly #pidOfTask = new Map<TaskId, number>();
  readonly #ownTasks = new Map<TaskId, (result: unknown) => void>();
  readonly #echoes = new Map<number, TaskId>();
  readonly #timeouts = new Map<number, { at: Nanos; fire: () => void }>();
  #now: Nanos = 0;
  #bootedAt: Nanos = 0;
  /** Wall time in whole seconds and ns at `now` = 0. */
  readonly #wallClock = new WallClock();
  /** Process 1 is init, which is no program here. */
  #lastPid = INIT_PID;
  #lastEcho = 0;
  #lastTimeout = 0;

  constructor(ports: SystemPorts) {
    this.#ports = ports;
    this.hostname = ports.hostname;
    this.files = ports.files;
    this.disks = ports.disks;
    this.#runner = new TaskRunner((now, task, request) => this.#serve(now, task, request as SystemCall));
    this.sockets = new Sockets(
      (input) => ports.toStack(input),
      () => ports.newConnection(),
      (task, value) => this.reply(task, value),
    );
  }

  /** Sets the clocks: `wall` is the wall time at `now`. */
  boot(now: Nanos, wall: WallTime): void {
    this.#now = now;
    this.#bootedAt = now;
    this.#wallClock.set(now, wall);
  }

  /** Everything below happens at this instant. */
  advance(now: Nanos): void {
    this.#now = now;
  }

  deadline(): Nanos {
    let deadline = this.#runner.deadline();
    for (const { at } of this.#timeouts.values()) if (at < deadline) deadline = at;
    return deadline;
  }

  wake(): void {
    for (const [id, timeout] of this.#timeouts) {
      if (timeout.at > this.#now) continue;
      this.#timeouts.delete(id);
      timeout.fire();
    }
    if (this.#runner.deadline() <= this.#now) this.#runner.step(this.#now, { kind: 'wake' }, this.#onEnded);
  }

  now(): Nanos {
    return this.#now;
  }

  uptime(): Nanos {
    return this.#now - this.#bootedAt;
  }

  wall(): WallTime {
    return this.#wallClock.at(this.#now);
  }

  /** Somebody has set the wall clock. */
  stepClock(offset: Nanos): void {
    this.#wallClock.step(offset);
  }

  log(priority: LogPriority, tag: string, text: string): void {
    this.#ports.log(priority, tag, text);
  }

  halt(how: 'poweroff' | 'reboot'): void {
    this.#ports.halt(how);
  }

  get observe(): Observe | undefined {
    return this.#ports.observe;
  }

  /** Number of tasks that sleep or wait, for the check that nothing leaks. */
  get tasks(): number {
    return this.#runner.size + this.#timeouts.size;
  }

  /** Whether the program that made a call is still there. */
  isWaiting(task: TaskId): boolean {
    return this.#runner.has(task);
  }

  reply(task: TaskId, value: unknown): void {
    this.#runner.step(this.#now, { kind: 'reply', id: task, value }, this.#onEnded);
  }

  /** Starts a program for nobody: a daemon, or what the kernel itself starts. */
  spawn(argv: readonly string[], options: RunOptions, parent: number): number | Errno {
    const program = this.#find(argv[0] ?? '');
    if (program === undefined) return 'ENOENT';
    return this.#start(program, argv, options, parent, undefined);
  }

  /** Runs a program and tells how it ended. A name that no program has ends with 127 and a shell's message. */
  run(argv: readonly string[], options: RunOptions, parent: number, ended: (result: ProgramResult) => void): void {
    const name = argv[0] ?? '';
    const program = this.#find(name);
    if (program === undefined) {
      const reason = name.includes('/') ? 'No such file or directory' : 'command not found';
      return ended({ status: 127, output: '', errors: `-bash: ${name}: ${reason}\n` });
    }
    this.runProgram(program, argv, options, parent, ended);
  }

  /** Runs a program that need not be one of the machine's. */
  runProgram(
    program: Program,
    argv: readonly string[],
    options: RunOptions,
    parent: number,
    ended: (result: ProgramResult) => void,
  ): void {
    let timeout = 0;
    const pid = this.#start(program, argv, options, parent, (result) => {
      this.#timeouts.delete(timeout);
      ended(result);
    });
    if (options.timeout !== undefined && this.#running.has(pid)) {
      timeout = this.#after(options.timeout, () => this.kill(pid, SIGKILL));
    }
  }

  /** A daemon of the stack is shown among the processes; it ends when the stack says so. */
  daemonStarted(argv: readonly string[]): number {
    this.#lastPid += 1;
    const pid = this.#lastPid;
    this.#running.set(pid, {
      process: new Process(this, pid, 1, argv, {}),
      task: undefined,
      ended: undefined,
      traps: new Map(),
      isEnding: false,
    });
    return pid;
  }

  daemonEnded(pid: number): void {
    this.#running.delete(pid);
  }

  /** Runs a task of the node itself, which may make the same calls as programs. */
  runTask<Result>(task: Task<Result>, done: (result: Result) => void): void {
    const id = this.#runner.newId();
    this.#ownTasks.set(id, done as (result: unknown) => void);
    this.#runner.step(this.#now, { kind: 'start', id, task: task as Task<unknown> }, this.#onEnded);
  }

  /** What a process does when that signal comes. SIGKILL cannot be caught. */
  trap(pid: number, signal: number, act: () => Task<number>): void {
    if (signal !== SIGKILL) this.#running.get(pid)?.traps.set(signal, act);
  }

  /** Ends a process at once, unless it has caught the signal. */
  kill(pid: number, signal: number): Errno | undefined {
    const running = this.#running.get(pid);
    if (running === undefined) return 'ESRCH';
    if (running.task === undefined) return 'EPERM';
    if (signal === 0) return undefined;
    const act = running.traps.get(signal);
    if (signal !== SIGKILL && (act !== undefined || running.isEnding)) {
      if (act !== undefined && !running.isEnding) this.#interrupt(pid, running, running.task, act);
      return undefined;
    }
    this.#runner.step(this.#now, { kind: 'cancel', id: running.task }, this.#onEnded);
    this.#exit(pid, 128 + signal);
    return undefined;
  }

  isRunning(pid: number): boolean {
    return this.#running.has(pid);
  }

  processes(): readonly ProcessInfo[] {
    return [...this.#running.values()].map(({ process }) => process);
  }

  /** Whether a process is in a directory, or in one below it. */
  isSomebodyIn(directory: string): boolean {
    return [...this.#running.values()].some(({ process }) => `${process.directory}/`.startsWith(`${directory}/`));
  }

  interfaces(): readonly InterfaceInfo[] {
    return this.#ports.interfaces();
  }

  setInterface(name: string, isUp: boolean): Errno | undefined {
    if (!this.#hasInterface(name)) return 'ENODEV';
    this.#ports.toStack({ kind: 'set-interface', name, isUp });
    return undefined;
  }

  changeAddress(change: 'add-address' | 'delete-address', name: string, address: string): Errno | undefined {
    const found = this.interfaces().find((candidate) => candidate.name === name);
    if (found === undefined) return 'ENODEV';
    if (parseInterfaceAddress(address) === undefined) return 'EINVAL';
    const isThere = found.addresses.includes(address);
    if (change === 'add-address' && isThere) return 'EEXIST';
    if (change === 'delete-address' && !isThere) return 'EADDRINUSE';
    this.#ports.toStack({ kind: change, name, address });
    return undefined;
  }

  announce(name: string, address: string): Errno | undefined {
    if (!this.#hasInterface(name)) return 'ENODEV';
    if (parseIpv4(address) === undefined) return 'EINVAL';
    this.#ports.toStack({ kind: 'announce', name, address });
    return undefined;
  }

  onEchoEnded(id: number, result: Nanos | Errno): void {
    const task = this.#echoes.get(id);
    this.#echoes.delete(id);
    if (task !== undefined) this.reply(task, result);
  }

  #hasInterface(name: string): boolean {
    return this.interfaces().some((candidate) => candidate.name === name);
  }

  #find(name: string): Program | undefined {
    return (
      this.#ports.programs.get(name) ?? (name.includes('/') ? this.#ports.programs.get(baseName(name)) : undefined)
    );
  }

  #start(
    program: Program,
    argv: readonly string[],
    options: RunOptions,
    parent: number,
    ended: ((result: ProgramResult) => void) | undefined,
  ): number {
    this.#lastPid += 1;
    const pid = this.#lastPid;
    const directory = options.directory ?? this.#running.get(parent)?.process.directory ?? '/';
    const process = new Process(this, pid, parent, argv, { ...options, directory });
    const task = this.#runner.newId();
    this.#running.set(pid, { process, task, ended, traps: new Map(), isEnding: false });
    this.#pidOfTask.set(task, pid);
    const faulty = this.faults.applied(program, argv, process.input);
    this.#runner.step(
      this.#now,
      { kind: 'start', id: task, task: faulty(argv, process) as Task<unknown> },
      this.#onEnded,
    );
    return pid;
  }

  readonly #onEnded = (output: { readonly id: TaskId; readonly result: unknown }): void => {
    const pid = this.#pidOfTask.get(output.id);
    if (pid !== undefined) return this.#exit(pid, Number(output.result) & 0xff);
    const done = this.#ownTasks.get(output.id);
    this.#ownTasks.delete(output.id);
    done?.(output.result);
  };

  #exit(pid: number, status: number): void {
    const running = this.#running.get(pid);
    if (running === undefined) return;
    const { process, task, ended } = running;
    this.#running.delete(pid);
    if (task !== undefined) this.#pidOfTask.delete(task);
    for (const { process: child } of this.#running.values()) if (child.parent === pid) child.parent = INIT_PID;
    this.sockets.closeOf(pid);
    this.#ports.processEnded(pid);
    ended?.({ status, output: process.output, errors: process.errors });
  }

  /** Lets a process do something else, to its end. */
  #interrupt(pid: number, running: Running, given: TaskId, act: () => Task<number>): void {
    const task = this.#runner.newId();
    this.#pidOfTask.delete(given);
    this.#pidOfTask.set(task, pid);
    this.#running.set(pid, { ...running, task, isEnding: true });
    this.#runner.step(this.#now, { kind: 'cancel', id: given }, this.#onEnded);
    this.#runner.step(this.#now, { kind: 'start', id: task, task: act() as Task<unknown> }, this.#onEnded);
  }

  #serve(now: Nanos, task: TaskId, call: SystemCall): unknown {
    this.#now = now;
    switch (call.call) {
      case 'run':
        this.run(call.argv, call.options, this.#pidOfTask.get(task) ?? 0, (result) => this.reply(task, result));
        return PENDING;
      case 'scsi': {
        const device = this.disks.device(call.device);
        if (device === undefined) return 'ENOENT';
        // As device-mapper, which passes on what is for one disk only.
        if (device.extents !== undefined) return 'EINVAL';
        this.disks.passThrough(device, call.cdb, call.data ?? new Uint8Array(0), (reply) => this.reply(task, reply));
        return PENDING;
      }
      case 'scsi-unit':
        this.disks.passThrough(call.disk, call.cdb, call.data, (reply) => this.reply(task, reply));
        return PENDING;
      case 'echo': {
        if (parseIpv4(call.address) === undefined) return 'EINVAL';
        this.#lastEcho += 1;
        this.#echoes.set(this.#lastEcho, task);
        const { address, ttl, timeout, seq } = call;
        this.#ports.toStack({ kind: 'echo', id: this.#lastEcho, to: address, ttl, seq, timeout });
        return PENDING;
      }
      case 'accept':
        this.sockets.accept(task, call.listener);
        return PENDING;
      case 'connect': {
        if (parseIpv4(call.address) === undefined || !isPort(call.port)) return 'EINVAL';
        const socket = this.sockets.connect(task, this.#pidOfTask.get(task) ?? 0, call.address, call.port);
        this.#after(call.timeout, () => this.sockets.giveUp(socket));
        return PENDING;
      }
      case 'receive':
        this.sockets.receive(task, call.socket);
        return PENDING;
      case 'mount':
      case 'unmount':
      case 'file-system':
      case 'daemon':
        return this.#ports.serve(task, call);
    }
  }

  #after(duration: Nanos, fire: () => void): number {
    this.#lastTimeout += 1;
    this.#timeouts.set(this.#lastTimeout, { at: this.#now + duration, fire });
    return this.#lastTimeout;
  }
}
