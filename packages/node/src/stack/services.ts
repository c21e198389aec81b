import type { LogPriority, Nanos, Observe } from '@quorate/kernel';
import type { IpInput } from '@quorate/network';
import type { EventScript } from '@quorate/rgmanager';
import type { OperatingSystem } from '../os/operating-system.js';
import type { Storage } from '../os/storage.js';

/** What every daemon of a node may use of the machine that it runs on. */
export interface NodeServices {
  readonly system: OperatingSystem;
  readonly storage: Storage;
  readonly hostname: string;
  now(): Nanos;
  toStack(input: IpInput): void;
  /** An id for a TCP connection that no other has. */
  newConnection(): number;
  log(priority: LogPriority, tag: string, text: string): void;
  halt(how: 'poweroff' | 'reboot'): void;
  /** By the files that `<events>` names. */
  readonly eventScripts: ReadonlyMap<string, EventScript>;
  readonly observe: Observe | undefined;
}
