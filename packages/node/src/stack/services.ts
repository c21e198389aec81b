import type { Errno, LogPriority, Nanos, Observe, Program } from '@quorate/kernel';
import type { IpInput } from '@quorate/network';
import type { OperatingSystem } from '../os/operating-system.js';

/** What every daemon of a node may use of the machine that it runs on. */
export interface NodeServices {
  readonly system: OperatingSystem;
  readonly hostname: string;
  now(): Nanos;
  toStack(input: IpInput): void;
  /** An id for a TCP connection that no other has. */
  newConnection(): number;
  log(priority: LogPriority, tag: string, text: string): void;
  halt(how: 'poweroff' | 'reboot'): void;
  readonly observe: Observe | undefined;
}

/** What a daemon answers to its tools: at once, or later through the function that it was handed. */
export type Answer = (value: unknown) => void;

/** A program that only asks a daemon something and has nothing to print. */
export function askingProgram(daemon: string, request: unknown, complaint: string): Program {
  return function* (argv, os) {
    const refused = (yield* os.call(daemon, request)) as Errno | undefined;
    if (refused === undefined) return 0;
    os.printError(`${argv[0]}: ${complaint}: ${refused}\n`);
    return 1;
  };
}
