import type { Nanos, Seed } from '@quorate/kernel';
import type { DiskSpec, Topology } from '@quorate/lab';
import type { BlockStore } from '@quorate/scsi';

/** Topologies by name. Functions do not pass between threads, so hub and workers build the same one each for itself. */
export type Registry = Readonly<Record<string, (options: unknown) => Topology>>;

/** Stores that a run writes, by LUN. */
export interface OpenedStores {
  readonly stores: ReadonlyMap<number, BlockStore>;
  /** The run is over: makes what was written durable. */
  close(): void;
}

/**
 * Opens the stores of a run, each with the content of its disk's image; asked for only where the disks are. `options` is the
 * plain data that the hub was given as `storeOptions`.
 */
export type OpenStores = (options: unknown, disks: readonly DiskSpec[]) => OpenedStores;

/** A machine's port at the switch or the disks. */
interface MachinePort {
  /** Node id. */
  readonly id: number;
  readonly port: MessagePort;
}

/** What a worker does in a lab. */
export type Role =
  | { readonly kind: 'machine'; readonly id: number; readonly toSwitch: MessagePort; readonly toDisks: MessagePort }
  /** The network, and the hosts that are no cluster nodes. */
  | { readonly kind: 'switch'; readonly machines: readonly MachinePort[] }
  | { readonly kind: 'disks'; readonly machines: readonly MachinePort[] };

/** The one message on the raw worker; everything else goes over its ports. */
export interface Boot {
  readonly type: 'quorate-boot';
  readonly topologyName: string;
  /** Plain data for the builder of the topology. */
  readonly topologyOptions: unknown;
  /** Plain data for who opens the stores; undefined: copies of the images in memory. */
  readonly storeOptions: unknown;
  readonly seed: Seed;
  readonly speed: number;
  readonly sliceNanos: Nanos;
  /** Kinds of facts that the hub wants; undefined: all. */
  readonly kinds: readonly string[] | undefined;
  readonly wantsLog: boolean;
  /** Whether it reports what its machine is stepped with and emits. */
  readonly isRecorded: boolean;
  readonly role: Role;
  /** Comlink: what the hub asks of it. */
  readonly control: MessagePort;
  /** Grants come, reports go. */
  readonly clock: MessagePort;
}

/** Every port of a boot message, to be transferred with it. */
export function portsOf({ role, control, clock }: Boot): MessagePort[] {
  const ports = role.kind === 'machine' ? [role.toSwitch, role.toDisks] : role.machines.map(({ port }) => port);
  return [control, clock, ...ports];
}
