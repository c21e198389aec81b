// One machine for programs under test: files, programs, a disk behind `scsi`, and daemons behind `call`.
import {
  type Errno,
  type Nanos,
  type Os,
  type ProcessInfo,
  type Program,
  type ProgramResult,
  type ScsiReply,
  sleep,
  type Task,
  TaskRunner,
  utf8Text,
} from '@quorate/kernel';

export interface Machine {
  readonly hostname: string;
  readonly files: Map<string, string>;
  readonly directories: Map<string, readonly string[]>;
  /** Files that cannot be written. */
  readonly refused: Map<string, Errno>;
  readonly programs: Map<string, Program>;
  readonly log: string[];
  now: Nanos;
  scsi: (device: string, cdb: Uint8Array, data: Uint8Array) => ScsiReply | Errno;
  call: (daemon: string, request: unknown) => unknown;
  processes: readonly ProcessInfo[];
  mounts: readonly { device: string; directory: string; type: string; options: string }[];
}

export function newMachine(hostname: string): Machine {
  return {
    hostname,
    files: new Map(),
    directories: new Map(),
    refused: new Map(),
    programs: new Map(),
    log: [],
    now: 0,
    scsi: () => 'ENODEV',
    call: () => 'ECONNREFUSED',
    processes: [],
    mounts: [],
  };
}

/** A program that prints a fixed text. */
export function printing(text: string, status = 0): Program {
  return function* (_argv, os) {
    os.print(text);
    return status;
  };
}

/** Runs a command to its end on a virtual clock. */
export function run(machine: Machine, line: string | readonly string[], input = ''): ProgramResult {
  const argv = typeof line === 'string' ? line.split(' ') : line;
  const runner = new TaskRunner((_now, _id, request) => {
    throw new Error(`unexpected request ${String(request)}`);
  });
  let result: unknown;
  const emit = (output: { readonly result: unknown }): void => {
    result = output.result;
  };
  const started = machine.now;
  runner.step(started, { kind: 'start', id: runner.newId(), task: execute(machine, argv, input) }, emit);
  while (runner.size > 0) {
    machine.now = runner.deadline();
    if (machine.now - started > 3600e9) throw new Error(`${argv.join(' ')} does not end`);
    runner.step(machine.now, { kind: 'wake' }, emit);
  }
  return result as ProgramResult;
}

function* execute(machine: Machine, argv: readonly string[], input: string): Task<ProgramResult> {
  const program = machine.programs.get(argv[0]!);
  if (program === undefined) return { status: 127, output: '', errors: `sh: ${argv[0]}: command not found\n` };
  let [output, errors] = ['', ''];
  const os = {
    hostname: machine.hostname,
    pid: 7,
    input,
    print: (text: string) => {
      output += text;
    },
    printError: (text: string) => {
      errors += text;
    },
    log: (priority: string, tag: string, text: string) => {
      machine.log.push(`${priority} ${tag}: ${text}`);
    },
    now: () => machine.now,
    wall: () => ({ sec: 1_446_127_500 + Math.floor(machine.now / 1e9), nsec: 0 }),
    sleep,
    run: (words: readonly string[], options: { input?: string } = {}) => execute(machine, words, options.input ?? ''),
    *readFile(path: string): Task<Uint8Array | Errno> {
      const text = machine.files.get(path);
      return text === undefined ? 'ENOENT' : new Uint8Array(Buffer.from(text));
    },
    *writeFile(path: string, bytes: Uint8Array, options: { append?: boolean } = {}): Task<number | Errno> {
      const refused = machine.refused.get(path);
      if (refused !== undefined) return refused;
      const before = options.append === true ? (machine.files.get(path) ?? '') : '';
      machine.files.set(path, before + utf8Text(bytes));
      return bytes.length;
    },
    *stat(path: string): Task<unknown> {
      return machine.files.has(path) ? { type: 'file' } : 'ENOENT';
    },
    *makeDirectory(): Task<undefined> {},
    *list(path: string): Task<readonly string[] | Errno> {
      return machine.directories.get(path) ?? 'ENOENT';
    },
    halt: (how: string) => {
      machine.log.push(`halt ${how}`);
    },
    *remove(path: string): Task<undefined> {
      machine.files.delete(path);
    },
    processes: () => machine.processes,
    mounts: () => machine.mounts,
    *scsi(device: string, cdb: Uint8Array, data = new Uint8Array(0)): Task<ScsiReply | Errno> {
      return machine.scsi(device, cdb, data);
    },
    *call(daemon: string, request: unknown): Task<unknown> {
      return machine.call(daemon, request);
    },
  };
  const status = yield* program(argv, os as unknown as Os);
  return { status, output, errors };
}
