// One machine for agents under test: files, processes, mounts, addresses, on a virtual clock.
import {
  type Errno,
  type InterfaceInfo,
  type MountInfo,
  type Os,
  PENDING,
  type Program,
  type ProgramResult,
  type RunOptions,
  sleep,
  type Task,
  type TaskId,
  TaskRunner,
  utf8Text,
} from '@quorate/kernel';
import { agentPrograms } from '../src/index.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type Attributes = Readonly<Record<string, string>>;

/** How a program ended, and after how long. */
export type Ending = ProgramResult & { readonly seconds: number };

interface Process {
  readonly argv: readonly string[];
  readonly task: TaskId;
  readonly ended: (status: number) => void;
}

const DIRECTORY = Symbol('directory');
const ARP_PAUSE = 1e9;
const PING_DEADLINE = 2e9;

/** A machine in a test: what is public may be changed between two runs. */
export class FakeMachine {
  readonly files = new Map<string, string | typeof DIRECTORY>();
  readonly programs = new Map<string, Program>();
  readonly interfaces: (Mutable<InterfaceInfo> & { addresses: string[] })[] = [];
  readonly mounts: MountInfo[] = [];
  /** Who else answers pings. */
  readonly neighbours = new Set<string>();
  /** Refused calls of files and mounts, by path. */
  readonly failures = new Map<string, Errno>();
  /** What was done outside, and what was logged; emptied by each run. */
  readonly events: string[] = [];
  /** Changes of addresses wait until the running program waits for something. */
  isNetworkBusy = false;
  /** Ignores SIGTERM. */
  readonly stubborn = new Set<string>();
  readonly waitingChanges: (() => void)[] = [];
  call: (daemon: string, request: unknown) => unknown = () => 'ECONNREFUSED';
  now = 0;
  readonly #processes = new Map<number, Process>();
  readonly #runner = new TaskRunner(() => PENDING);
  readonly #endings = new Map<TaskId, (status: number) => void>();
  #lastPid = 0;

  constructor() {
    for (const [file, program] of agentPrograms) this.programs.set(file, program);
    for (const [name, program] of Object.entries({ ping, arping, mount, umount }))
      this.programs.set(name, program(this));
    this.makeDirectories('/var/run/x');
  }

  /** Puts a file there, with its directories. */
  file(path: string, text: string): void {
    this.makeDirectories(path);
    this.files.set(path, text);
  }

  makeDirectories(path: string): void {
    for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1))
      this.files.set(path.slice(0, at), DIRECTORY);
  }

  isDirectory(path: string): boolean {
    return this.files.get(path) === DIRECTORY;
  }

  text(path: string): string | undefined {
    const content = this.files.get(path);
    return content === DIRECTORY ? undefined : content;
  }

  get processes(): readonly { readonly pid: number; readonly argv: readonly string[] }[] {
    return [...this.#processes].map(([pid, { argv }]) => ({ pid, argv }));
  }

  kill(pid: number, signal: number): Errno | undefined {
    const process = this.#processes.get(pid);
    if (process === undefined) return 'ESRCH';
    this.events.push(`kill -${signal} ${process.argv[0]}`);
    if (signal === 15 && this.stubborn.has(process.argv[0]!)) return undefined;
    this.#runner.step(this.now, { kind: 'cancel', id: process.task }, this.#onEnded);
    this.#processes.delete(pid);
    process.ended(128 + signal);
    return undefined;
  }

  /** Runs an agent as rgmanager does. `depth` is OCF_CHECK_LEVEL. */
  agent(type: string, action: string, attributes: Attributes = {}, depth = 0): Ending {
    const name = attributes.name ?? attributes.address ?? '';
    const environment = {
      ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`OCF_RESKEY_${key}`, value])),
      OCF_RESOURCE_INSTANCE: `${type}:${name}`,
      OCF_RESOURCE_TYPE: type,
      OCF_CHECK_LEVEL: String(depth),
    };
    return this.run([`/usr/share/cluster/${type}${type.startsWith('SAP') ? '' : '.sh'}`, action], environment);
  }

  /** What the last run logged with these priorities. */
  logged(...priorities: readonly string[]): readonly string[] {
    const isWanted = (event: string): boolean => priorities.some((each) => event.startsWith(`${each} rgmanager: `));
    return this.events.filter(isWanted).map((line) => line.replace(' rgmanager: ', ' '));
  }

  /** What the last run did outside. */
  get done(): readonly string[] {
    return this.events.filter((event) => !event.includes(' rgmanager: '));
  }

  /** Runs a program until it ends; whatever it leaves running goes on. */
  run(argv: readonly string[], environment: Attributes = {}): Ending {
    this.events.length = 0;
    const startedAt = this.now;
    let result: ProgramResult | undefined;
    this.start(argv, { environment }, (ended) => {
      result = ended;
    });
    while (result === undefined) {
      this.now = this.#runner.deadline();
      for (const change of this.waitingChanges.splice(0)) change();
      if (this.now - startedAt > 3600e9) throw new Error(`${argv.join(' ')} does not end`);
      this.#runner.step(this.now, { kind: 'wake' }, this.#onEnded);
    }
    return { ...result, seconds: (this.now - startedAt) / 1e9 };
  }

  /** The pid; undefined for a name that no program has. */
  start(argv: readonly string[], options: RunOptions, ended: (result: ProgramResult) => void): number | undefined {
    const name = argv[0]!;
    const program = this.programs.get(name);
    if (program === undefined) {
      ended({ status: 127, output: '', errors: `-bash: ${name}: command not found\n` });
      return undefined;
    }
    this.#lastPid += 1;
    const pid = this.#lastPid;
    const task = this.#runner.newId();
    const printed = { output: '', errors: '' };
    const finish = (status: number): void => ended({ status, ...printed });
    this.#processes.set(pid, { argv, task, ended: finish });
    this.#endings.set(task, (status) => {
      this.#processes.delete(pid);
      finish(status);
    });
    const os = fakeOs(
      this,
      pid,
      options,
      printed,
      (id, value) => {
        this.#runner.step(this.now, { kind: 'reply', id, value }, this.#onEnded);
      },
      task,
    );
    this.#runner.step(this.now, { kind: 'start', id: task, task: program(argv, os) as Task<unknown> }, this.#onEnded);
    return pid;
  }

  readonly #onEnded = ({ id, result }: { readonly id: TaskId; readonly result: unknown }): void => {
    this.#endings.get(id)?.(Number(result));
  };
}

function fakeOs(
  machine: FakeMachine,
  pid: number,
  options: RunOptions,
  printed: { output: string; errors: string },
  reply: (task: TaskId, value: unknown) => void,
  task: TaskId,
): Os {
  const { files, failures } = machine;
  const refused = (path: string): Errno | undefined => failures.get(path);
  const hasParent = (path: string): boolean => {
    const slash = path.lastIndexOf('/');
    return slash === 0 || files.get(path.slice(0, slash)) === DIRECTORY;
  };
  const os: Partial<Os> = {
    hostname: 'my-vm1',
    pid,
    environment: options.environment ?? {},
    print: (text) => {
      printed.output += text;
    },
    printError: (text) => {
      printed.errors += text;
    },
    log: (priority, tag, text) => {
      machine.events.push(`${priority} ${tag}: ${text}`);
    },
    now: () => machine.now,
    sleep,
    *run(argv, runOptions = {}) {
      machine.events.push(`run ${argv.join(' ')}`);
      let result: ProgramResult | undefined;
      let isWaiting = false;
      machine.start(argv, runOptions, (ended) => {
        result = ended;
        if (isWaiting) reply(task, undefined);
      });
      isWaiting = true;
      if (result === undefined) yield 'run';
      return result as unknown as ProgramResult;
    },
    spawn: (argv, spawnOptions = {}) => machine.start(argv, spawnOptions, () => {}) ?? 'ENOENT',
    kill: (other, signal) => machine.kill(other, signal),
    processes: () => machine.processes.map((process) => ({ ...process, parent: 1, startedAt: 0 })),
    *readFile(path) {
      const content = files.get(path);
      if (content === DIRECTORY) return 'EISDIR';
      return content === undefined ? 'ENOENT' : new Uint8Array(Buffer.from(content));
    },
    *writeFile(path, bytes, { append = false } = {}) {
      const errno = refused(path) ?? (hasParent(path) ? undefined : 'ENOENT');
      if (errno !== undefined) return errno;
      machine.events.push(`write ${path}`);
      files.set(path, (append ? (machine.text(path) ?? '') : '') + utf8Text(bytes));
      return bytes.length;
    },
    *remove(path) {
      machine.events.push(`remove ${path}`);
      return files.delete(path) ? undefined : 'ENOENT';
    },
    *makeDirectory(path) {
      if (files.has(path)) return 'EEXIST';
      if (refused(path) !== undefined) return refused(path);
      if (!hasParent(path)) return 'ENOENT';
      machine.events.push(`mkdir ${path}`);
      files.set(path, DIRECTORY);
      return undefined;
    },
    *list(path) {
      return refused(path) ?? (machine.isDirectory(path) ? [] : 'ENOENT');
    },
    *stat(path) {
      const content = files.get(path);
      if (content === undefined) return 'ENOENT';
      const type = content === DIRECTORY ? 'directory' : 'file';
      return { type, inode: 1, mode: 0o755, links: 1, uid: 0, gid: 0, size: 0, modifiedAt: 0 };
    },
    mounts: () => machine.mounts,
    interfaces: () => machine.interfaces.map((each) => ({ ...each, addresses: [...each.addresses] })),
    addAddress(name, address) {
      const found = machine.interfaces.find((each) => each.name === name);
      if (found === undefined) return 'ENODEV';
      if (failures.has(address)) return failures.get(address);
      machine.events.push(`add ${address} to ${name}`);
      found.addresses.push(address);
      return undefined;
    },
    deleteAddress(name, address) {
      const found = machine.interfaces.find((each) => each.name === name)!;
      if (failures.has(address)) return failures.get(address);
      machine.events.push(`delete ${address} from ${name}`);
      const change = (): void => {
        found.addresses = found.addresses.filter((other) => other !== address);
      };
      if (machine.isNetworkBusy) machine.waitingChanges.push(change);
      else change();
      return undefined;
    },
    *call(daemon, request) {
      return machine.call(daemon, request);
    },
    halt: (how) => {
      machine.events.push(`halt ${how}`);
    },
  };
  return os as Os;
}

function ping(machine: FakeMachine): Program {
  return function* (argv, os) {
    const address = argv.at(-1)!;
    const isOurs = machine.interfaces.some(({ addresses }) => addresses.some((own) => own.startsWith(`${address}/`)));
    if ((isOurs && !machine.failures.has(`ping ${address}`)) || machine.neighbours.has(address)) return 0;
    yield* os.sleep(PING_DEADLINE);
    return 1;
  };
}

function arping(): Program {
  return function* (_argv, os) {
    yield* os.sleep(ARP_PAUSE);
    return 0;
  };
}

function mount(machine: FakeMachine): Program {
  return function* (argv) {
    const [device, directory] = argv.slice(-2) as [string, string];
    const optionValue = (option: string, otherwise: string): string => {
      const at = argv.indexOf(option);
      return at < 0 ? otherwise : argv[at + 1]!;
    };
    if (machine.failures.has(device)) return 32;
    machine.mounts.push({ device, directory, type: optionValue('-t', 'auto'), options: optionValue('-o', 'defaults') });
    return 0;
  };
}

function umount(machine: FakeMachine): Program {
  return function* (argv) {
    const at = machine.mounts.findIndex(({ directory }) => directory === argv[1]);
    if (at < 0 || machine.failures.get(`umount ${argv[1]}`) !== undefined) return 1;
    machine.mounts.splice(at, 1);
    return 0;
  };
}
