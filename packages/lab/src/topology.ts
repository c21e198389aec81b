import {
  asciiBytes,
  Prng,
  type Program,
  SECOND,
  type Seed,
  utf8Bytes,
  type WallTime,
  type World,
} from '@quorate/kernel';
import type { LinkPreset, NetworkConfig } from '@quorate/network';
import type { BlockDevice } from '@quorate/node';
import { type BlockStore, type LogicalUnitConfig, SparseStore, type TargetConfig } from '@quorate/scsi';
import { Browser, type BrowserFact } from './hosts/browser.js';
import { Gateway } from './hosts/gateway.js';
import type { Host } from './hosts/host.js';
import type { VirtualMachineConfig } from './virtual-machine.js';

/** A cluster node's hardware. */
export interface MachineSpec {
  /** Node id; also the number of its NIC on the network and of its nexus at the disks. */
  readonly id: number;
  readonly name: string;
  readonly mac: string;
  /** With prefix length. */
  readonly address: string;
}

/** A host that is no cluster node. */
export interface HostSpec {
  readonly kind: 'gateway' | 'browser';
  /** Number of its NIC on the network. */
  readonly nic: number;
  readonly mac: string;
  readonly address: string;
}

/** A shared disk: what it looks like to the machines, and what is on it before the run. */
export interface DiskSpec {
  readonly lun: number;
  /** For people, and for the files that a run leaves: `storage`. */
  readonly name: string;
  readonly serial: string;
  /** Content at the start of a run, shared by all runs and never written. */
  readonly image: BlockStore;
}

/** What there is in a lab: everything but what happens. */
export interface Topology {
  readonly machines: readonly MachineSpec[];
  readonly hosts: readonly HostSpec[];
  readonly gateway: string;
  /** Formats the disks, or takes what was formatted before: asked for only where the disks are. */
  disks(): readonly DiskSpec[];
  /** Names that the disks have on every machine, which finds partitions and volumes on them itself. */
  readonly devices: readonly BlockDevice[];
  readonly link: LinkPreset;
  /** Text of /etc/cluster/cluster.conf on every machine. */
  readonly clusterConf: string;
  /** Further files of every machine's root disk. */
  readonly files: ReadonlyMap<string, string>;
  /** Administrators' tools. */
  readonly programs: ReadonlyMap<string, Program>;
  /** The page that the browser asks for, once a second. */
  readonly page: { readonly address: string; readonly path: string };
  /** Wall time at the start of a run. */
  readonly wall: WallTime;
}

export function machineConfig(
  topology: Topology,
  spec: MachineSpec,
  seed: Seed,
  observe: VirtualMachineConfig['observe'],
): VirtualMachineConfig {
  const hosts = topology.machines.map(({ name, address }) => `${address.split('/')[0]} ${name}`);
  const files = new Map<string, Uint8Array>([
    ['/etc/hosts', utf8Bytes(`127.0.0.1 localhost localhost.localdomain\n${hosts.join('\n')}\n`)],
    ['/etc/cluster/cluster.conf', utf8Bytes(topology.clusterConf)],
    ['/var/lib/corosync/.keep', asciiBytes('')],
    ['/var/log/messages', asciiBytes('')],
    ...[...topology.files].map(([path, text]): [string, Uint8Array] => [path, utf8Bytes(text)]),
  ]);
  return {
    node: {
      id: spec.id,
      name: spec.name,
      seed,
      interfaces: [{ name: 'eth0', mac: spec.mac, addresses: [spec.address] }],
      gateway: topology.gateway,
      devices: topology.devices,
      programs: topology.programs,
    },
    files,
    wall: topology.wall,
    ...(observe && { observe }),
  };
}

/**
 * The NIC of a machine, by its name, or of a host, by its kind.
 *
 * @throws {RangeError} when the topology has neither.
 */
export function nicOf(topology: Topology, name: string): number {
  const host = topology.hosts.find(({ kind }) => kind === name);
  const nic = host?.nic ?? topology.machines.find((machine) => machine.name === name)?.id;
  if (nic === undefined) throw new RangeError(`no machine named ${name}`);
  return nic;
}

export function networkConfig(topology: Topology, world: World): NetworkConfig {
  const machines = topology.machines.map(({ id, mac }) => ({ nic: id, mac }));
  const hosts = topology.hosts.map(({ nic, mac }) => ({ nic, mac, takesMulticast: false }));
  return { nics: [...machines, ...hosts], link: topology.link, world };
}

/**
 * The target, the stores behind its units, and the images that those begin as; by LUN.
 *
 * A unit's store is a copy on write of its image in memory, unless there is one in `given` that has the image's content.
 */
export function targetConfig(
  topology: Topology,
  world: World,
  given: ReadonlyMap<number, BlockStore> = new Map(),
): {
  readonly config: TargetConfig;
  readonly stores: ReadonlyMap<number, BlockStore>;
  readonly images: ReadonlyMap<number, BlockStore>;
} {
  const images = new Map<number, BlockStore>();
  const stores = new Map<number, BlockStore>();
  const logicalUnits: LogicalUnitConfig[] = [];
  for (const { lun, serial, image } of topology.disks()) {
    const store = given.get(lun) ?? new SparseStore({ base: image });
    images.set(lun, image);
    stores.set(lun, store);
    logicalUnits.push({ lun, serial, store });
  }
  return { config: { name: 'iqn.2016-02.example.quorate:shared', logicalUnits, world }, stores, images };
}

export function newHost(
  topology: Topology,
  spec: HostSpec,
  seed: Seed,
  observe: ((fact: BrowserFact) => void) | undefined,
): Host {
  const stack = {
    interfaces: [{ name: 'eth0', mac: spec.mac, addresses: [spec.address] }],
    prng: Prng.derive(seed, `host/${spec.kind}`),
    ...(spec.kind === 'browser' && { gateway: topology.gateway }),
  };
  if (spec.kind === 'gateway') return new Gateway(stack);
  return new Browser({ stack, ...topology.page, interval: SECOND, ...(observe && { observe }) });
}

/** The port through which a machine reaches the disks: the same in every life of it. */
export function initiatorPort(spec: Pick<MachineSpec, 'id' | 'name'>): {
  readonly name: string;
  readonly isid: string;
} {
  return { name: `iqn.2016-02.example.quorate:${spec.name}`, isid: spec.id.toString(16).padStart(12, '0') };
}
