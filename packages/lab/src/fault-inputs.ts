import type { Nanos } from '@quorate/kernel';
import type { NetworkInput } from '@quorate/network';
import type { TargetInput } from '@quorate/scsi';
import type { DiskFault, LinkFault } from './fault.js';
import type { HostInput } from './hosts/host.js';
import { nicOf, type Topology } from './topology.js';

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
