import {
  type Nanos,
  type Os,
  type ProcessInfo,
  type Program,
  type ProgramResult,
  SECOND,
  sleep,
  TaskRunner,
} from '@quorate/kernel';

/** What a program finds on the machine. */
export interface Surroundings {
  /** What daemons answer to their tools. */
  readonly call?: (daemon: string, request: unknown) => unknown;
  readonly processes?: readonly ProcessInfo[];
  readonly wallSec?: number;
  /** Further calls. */
  readonly os?: Partial<Os> | undefined;
  /** How long it may run; 137 is its status if that is not enough. */
  readonly timeout?: Nanos;
}

/** Runs a program over an `Os` that has its surroundings and nothing else. */
export function run(program: Program, line: string, surroundings: Surroundings = {}): ProgramResult {
  const { call = () => 'ECONNREFUSED', processes = [], wallSec = 1_446_155_980, timeout = Infinity } = surroundings;
  let [output, errors, status, now] = ['', '', 137, 0];
  const os: Partial<Os> = {
    print: (text) => {
      output += text;
    },
    printError: (text) => {
      errors += text;
    },
    wall: () => ({ sec: wallSec + now / SECOND, nsec: 0 }),
    processes: () => processes,
    sleep,
    *call(daemon, request) {
      return call(daemon, request);
    },
    ...surroundings.os,
  };
  const runner = new TaskRunner((_now, _task, request) => {
    throw new Error(`unexpected request ${String(request)}`);
  });
  const onEnded = ({ result }: { readonly result: unknown }): void => {
    status = Number(result);
  };
  runner.step(0, { kind: 'start', id: runner.newId(), task: program(line.split(' '), os as Os) }, onEnded);
  while (runner.deadline() <= timeout && runner.size > 0) {
    now = runner.deadline();
    runner.step(now, { kind: 'wake' }, onEnded);
  }
  return { status, output, errors };
}
