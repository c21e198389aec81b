import type { Nanos } from '@quorate/kernel';
import type { LinkParameters, NetworkInput } from '@quorate/network';
import type { ProgramFault } from '@quorate/node';
import type { Impairment, TargetInput } from '@quorate/scsi';
import type { HostInput } from './hosts/host.js';
import { nicOf, type Topology } from './topology.js';

/**
 * What can be made to go wrong beside power, pause and cables. Each replaces what the same fault did before, and stays until
 * it is set back: there is no end by itself.
 *
 * Links are named by the machines and hosts (`gateway`, `browser`) at their ends; without one, all.
 */
export type Fault =
  /** Links treat frames by these parameters from now on; those not given stay. */
  | {
      readonly kind: 'links';
      readonly from?: string;
      readonly to?: string;
      readonly parameters: Partial<LinkParameters>;
    }
  /** Links hold what they are given for so long, then deliver it in order. */
  | { readonly kind: 'clog'; readonly from?: string; readonly to?: string; readonly duration: Nanos }
  /** The machine's monotonic clock runs that much fast, in parts per million; 0 is a perfect clock. */
  | { readonly kind: 'clock-drift'; readonly machine: string; readonly ppm: number }
  /** The machine's wall clock jumps. */
  | { readonly kind: 'clock-step'; readonly machine: string; readonly offset: Nanos }
  /** The disks, those of storage hosts too, serve the machine so badly; `hungFor` is from now on. */
  | {
      readonly kind: 'disks';
      readonly machine: string;
      readonly impairment: Partial<Omit<Impairment, 'hungUntil'>> & { readonly hungFor?: Nanos };
    }
  | { readonly kind: 'program'; readonly machine: string; readonly fault: ProgramFault };

/** A fault of the network. */
export type LinkFault = Extract<Fault, { kind: 'links' | 'clog' }>;
/** A fault of the disks, as one machine has them. */
export type DiskFault = Extract<Fault, { kind: 'disks' }>;
/** A fault of one machine. */
export type MachineFault = Extract<Fault, { kind: 'clock-drift' | 'clock-step' | 'program' }>;

/**
 * What the network is told of a fault that begins now.
 *
 * @throws {RangeError} when an end of the links is not in the topology.
 */
export function networkInputOf(fault: LinkFault, topology: Topology, now: Nanos): NetworkInput {
  const { from, to } = fault;
  const ends = {
    ...(from !== undefined && { from: nicOf(topology, from) }),
    ...(to !== undefined && { to: nicOf(topology, to) }),
  };
  if (fault.kind === 'links') return { kind: 'link', ...ends, parameters: fault.parameters };
  return { kind: 'clog', ...ends, until: now + fault.duration };
}

/**
 * What the shared disks, and those of storage hosts, are told of a fault that begins now.
 *
 * @throws {RangeError} when the topology has no such machine.
 */
export function diskInputsOf(
  { machine, impairment }: DiskFault,
  topology: Topology,
  now: Nanos,
): { readonly target: TargetInput; readonly host: Extract<HostInput, { kind: 'impair' }> } {
  const { hungFor, ...rest } = impairment;
  const node = nicOf(topology, machine);
  const told = {
    kind: 'impair',
    impairment: hungFor === undefined ? rest : { ...rest, hungUntil: now + hungFor },
  } as const;
  return { target: { ...told, nexus: node }, host: { ...told, node } };
}
