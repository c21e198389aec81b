import { ConfigError, type Program } from '@quorate/kernel';
import { type BlockStore, SparseStore } from '@quorate/scsi';
import type { Topology } from './topology.js';

export interface PlainTopologyOptions {
  /** From 1 to 16 machines, named `node1`, `node2`, … */
  readonly machines: number;
  /** Administrators' tools on every machine; none when absent. */
  readonly programs?: ReadonlyMap<string, Program>;
  /** Replaces the cluster.conf that names the machines and nothing else. */
  readonly clusterConf?: string;
  /** Content of the one shared disk, `/dev/sdb`; 8 MiB of zeros when absent. */
  readonly image?: BlockStore;
}

const MOST_MACHINES = 16;
const DISK_BLOCKS = 16_384;

/** 2015-01-01 00:00:00 UTC. */
const WALL_SEC = 1_420_070_400;

/**
 * A few machines on one switch with one shared disk, a gateway and a browser: for experiments that need no more.
 *
 * @throws {ConfigError} for a number of machines that is out of range.
 */
export function plainTopology(options: PlainTopologyOptions): Topology {
  const { machines: count, programs = new Map(), image = new SparseStore({ blocks: DISK_BLOCKS }) } = options;
  if (!Number.isInteger(count) || count < 1 || count > MOST_MACHINES) {
    throw new ConfigError('machines', String(count), `a whole number from 1 to ${MOST_MACHINES}`);
  }
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const mac = (nic: number): string => `02:00:00:00:00:${nic.toString(16).padStart(2, '0')}`;
  return {
    machines: ids.map((id) => ({ id, name: `node${id}`, mac: mac(id), address: `10.0.0.${id}/24` })),
    hosts: [
      { kind: 'gateway', nic: count + 1, mac: mac(count + 1), address: '10.0.0.254/24' },
      { kind: 'browser', nic: count + 2, mac: mac(count + 2), address: '10.0.0.200/24' },
    ],
    gateway: '10.0.0.254',
    disks: () => [{ lun: 0, name: 'shared', serial: '6002248000000001', image }],
    devices: [{ path: '/dev/sdb', lun: 0, start: 0, blocks: image.blocks }],
    link: 'hyperv-vswitch',
    clusterConf: options.clusterConf ?? clusterConfOf(ids),
    files: new Map(),
    programs,
    page: { address: '10.0.0.1', path: '/' },
    wall: { sec: WALL_SEC, nsec: 0 },
  };
}

function clusterConfOf(ids: readonly number[]): string {
  const cman = ids.length === 2 ? 'expected_votes="1" two_node="1"' : `expected_votes="${ids.length}"`;
  const nodes = ids.map((id) => `    <clusternode name="node${id}" nodeid="${id}"/>\n`);
  return `<?xml version="1.0"?>
<cluster config_version="1" name="plain">
  <cman ${cman}/>
  <clusternodes>
${nodes.join('')}  </clusternodes>
</cluster>
`;
}
