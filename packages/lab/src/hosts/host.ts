import type { Machine, Nanos } from '@quorate/kernel';
import type { IpInput } from '@quorate/network';
import type { Impairment } from '@quorate/scsi';
import type { Fetched } from '../lab.js';

/** A page that a scenario asks for, beside the presses of F5. */
export interface PageRequest {
  readonly address: string;
  readonly path: string;
  readonly timeout: Nanos;
}

export type HostInput =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'carrier'; readonly isUp: boolean }
  /** A node is served so badly by the disks of that host, if it has any for others. */
  | { readonly kind: 'impair'; readonly node: number; readonly impairment: Partial<Impairment> }
  /** Somebody at that host asks for a page; a host without a browser does not answer. */
  | { readonly kind: 'fetch'; readonly id: number; readonly request: PageRequest }
  | { readonly kind: 'wake' };

export type HostOutput =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'fetched'; readonly id: number; readonly result: Fetched };

/** A machine on the network that is no cluster node. */
export type Host = Machine<HostInput, HostOutput>;

/** What reaches the one card of a host, as an input of its stack. */
export function toStack(input: Extract<HostInput, { kind: 'frame' | 'carrier' }>): IpInput {
  return input.kind === 'frame'
    ? { kind: 'frame', interface: 0, bytes: input.bytes }
    : { kind: 'carrier', interface: 0, isUp: input.isUp };
}
