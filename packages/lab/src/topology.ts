import {
  asciiBytes,
  type Fact,
  Prng,
  type Program,
  SECOND,
  type Seed,
  utf8Bytes,
  type WallTime,
  type World,
} from '@quorate/kernel';
import type { LinkPreset, NetworkConfig } from '@quorate/network';
import { type BlockDevice, iscsiRecord, ringIdFile } from '@quorate/node';
import type { EventScript } from '@quorate/rgmanager';
import { type BlockStore, type LogicalUnitConfig, SparseStore, type TargetConfig } from '@quorate/scsi';
import { Browser } from './hosts/browser.js';
import { Gateway } from './hosts/gateway.js';
import type { Host } from './hosts/host.js';
import { ISCSI_PORT, StorageHost } from './hosts/storage-host.js';
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

/** Where a host that is no cluster node is on the network. */
interface HostAddress {
  /** Number of its NIC on the network. */
  readonly nic: number;
  readonly mac: string;
  /** With prefix length. */
  readonly address: string;
}

/** A host that is no cluster node. */
export type HostSpec =
  | (HostAddress & { readonly kind: 'gateway' | 'browser' })
  /** It has disks for the machines, which log in to it. */
  | (HostAddress & {
      readonly kind: 'storage';
      /** iSCSI name of its target. */
      readonly target: string;
      /** As `Topology.disks`, which have other LUNs: a LUN is the number of a disk all over the topology. */
      disks(): readonly DiskSpec[];
    });

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
  /** Formats the disks that hang on the machines, or takes what was formatted before: asked for only where the disks are. */
  disks(): readonly DiskSpec[];
  /** Names that the disks have on every machine, which finds partitions and volumes on them itself. */
  readonly devices: readonly BlockDevice[];
  readonly link: LinkPreset;
  /** Text of /etc/cluster/cluster.conf on every machine; undefined: there is no such file yet. */
  readonly clusterConf: string | undefined;
  /** Sequence of the last ring of earlier lives, as corosync has left it on every machine; absent: there was none. */
  readonly ringSeq?: number;
  /** Further files of every machine's root disk. */
  readonly files: ReadonlyMap<string, string>;
  /** Administrators' tools. */
  readonly programs: ReadonlyMap<string, Program>;
  /** Scripts that `<events>` of cluster.conf can name, by their files. */
  readonly eventScripts?: ReadonlyMap<string, EventScript>;
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
  const named = topology.hosts
    .filter(({ kind }) => kind === 'storage')
    .map(({ kind, address }) => ({ name: kind, address }));
  const hosts = [...topology.machines, ...named].map(({ name, address }) => `${withoutPrefix(address)} ${name}`);
  const files = new Map<string, Uint8Array>([
    ['/etc/redhat-release', asciiBytes('CentOS release 6.7 (Final)\n')],
    ['/etc/hosts', utf8Bytes(`127.0.0.1 localhost localhost.localdomain\n${hosts.join('\n')}\n`)],
    ...initiatorFiles(topology, spec),
    ...confFile(topology.clusterConf),
    ['/var/lib/corosync/.keep', asciiBytes('')],
    ...ringFile(topology.ringSeq, spec),
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
      ...(topology.eventScripts && { eventScripts: topology.eventScripts }),
    },
    files,
    wall: topology.wall,
    ...(observe && { observe }),
  };
}

function confFile(text: string | undefined): readonly (readonly [string, Uint8Array])[] {
  return text === undefined ? [] : [['/etc/cluster/cluster.conf', utf8Bytes(text)]];
}

function ringFile(seq: number | undefined, { address }: MachineSpec): readonly (readonly [string, Uint8Array])[] {
  if (seq === undefined) return [];
  const { path, bytes } = ringIdFile(withoutPrefix(address), seq);
  return [[path, bytes]];
}

/** Where there are storage hosts, machines have iscsi-initiator-utils, and somebody has asked each of them for its target. */
function initiatorFiles(topology: Topology, spec: MachineSpec): readonly (readonly [string, Uint8Array])[] {
  const storage = topology.hosts.filter((host) => host.kind === 'storage');
  if (storage.length === 0) return [];
  const records = storage.map(({ target, address }) => {
    const portal = { target, address: withoutPrefix(address), port: ISCSI_PORT, tpgt: 1 };
    const { path, text } = iscsiRecord(portal, ISCSID_CONF);
    return [path, utf8Bytes(text)] as const;
  });
  return [
    ['/etc/iscsi/initiatorname.iscsi', utf8Bytes(`InitiatorName=${initiatorPort(spec).name}\n`)],
    ['/etc/iscsi/iscsid.conf', utf8Bytes(ISCSID_CONF)],
    ...records,
  ];
}

/** What RHEL 6 changes in the defaults of open-iscsi. */
const ISCSID_CONF = `node.startup = automatic
node.session.initial_login_retry_max = 8
node.conn[0].timeo.login_timeout = 15
`;

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

/** Disks with the stores that are written to, and the images that those begin as; by LUN. */
export interface StoredDisks {
  readonly logicalUnits: readonly LogicalUnitConfig[];
  readonly stores: ReadonlyMap<number, BlockStore>;
  readonly images: ReadonlyMap<number, BlockStore>;
}

/** A unit's store is a copy on write of its image in memory, unless there is one in `given` that has the image's content. */
function storedDisks(disks: readonly DiskSpec[], given: ReadonlyMap<number, BlockStore>): StoredDisks {
  const images = new Map<number, BlockStore>();
  const stores = new Map<number, BlockStore>();
  const logicalUnits: LogicalUnitConfig[] = [];
  for (const { lun, serial, image } of disks) {
    const store = given.get(lun) ?? new SparseStore({ base: image });
    images.set(lun, image);
    stores.set(lun, store);
    logicalUnits.push({ lun, serial, store });
  }
  return { logicalUnits, stores, images };
}

/** The target of the disks that hang on the machines, and the stores behind its units. */
export function targetConfig(
  topology: Topology,
  world: World,
  given: ReadonlyMap<number, BlockStore> = new Map(),
): StoredDisks & { readonly config: TargetConfig } {
  const stored = storedDisks(topology.disks(), given);
  return {
    ...stored,
    config: { name: 'iqn.2016-02.example.quorate:shared', logicalUnits: stored.logicalUnits, world },
  };
}

/** What hosts run in. */
export interface HostSurroundings {
  readonly seed: Seed;
  readonly world: World;
  /** Where disks of a storage host are written, as for `targetConfig`. */
  readonly given?: ReadonlyMap<number, BlockStore>;
  readonly observe?: ((fact: Fact) => void) | undefined;
}

/** A host, with its disks if it has some for others. */
export interface HostWithDisks {
  readonly host: Host;
  readonly disks: StoredDisks;
}

export function newHost(topology: Topology, spec: HostSpec, surroundings: HostSurroundings): HostWithDisks {
  const { seed, world, given = new Map(), observe } = surroundings;
  const stack = {
    interfaces: [{ name: 'eth0', mac: spec.mac, addresses: [spec.address] }],
    prng: Prng.derive(seed, `host/${spec.kind}`),
    ...(spec.kind === 'browser' && { gateway: topology.gateway }),
  };
  const disks = storedDisks(spec.kind === 'storage' ? spec.disks() : [], given);
  const listening = observe && { observe };
  switch (spec.kind) {
    case 'gateway':
      return { host: new Gateway(stack), disks };
    case 'browser':
      return { host: new Browser({ stack, ...topology.page, interval: SECOND, ...listening }), disks };
    case 'storage': {
      const { target } = spec;
      const { logicalUnits } = disks;
      const initiators = new Map(topology.machines.map((machine) => [initiatorPort(machine).name, machine.id]));
      const address = withoutPrefix(spec.address);
      return {
        host: new StorageHost({ stack, address, target, logicalUnits, initiators, world, ...listening }),
        disks,
      };
    }
  }
}

/** The disks of storage hosts. */
export function disksOfHosts(topology: Topology): readonly DiskSpec[] {
  return topology.hosts.flatMap((host) => (host.kind === 'storage' ? host.disks() : []));
}

/** The port through which a machine reaches the disks: the same in every life of it. */
export function initiatorPort(spec: Pick<MachineSpec, 'id' | 'name'>): {
  readonly name: string;
  readonly isid: string;
} {
  return { name: `iqn.2016-02.example.quorate:${spec.name}`, isid: spec.id.toString(16).padStart(12, '0') };
}

/** `10.0.0.1` of `10.0.0.1/24`. */
function withoutPrefix(address: string): string {
  return address.split('/')[0]!;
}
