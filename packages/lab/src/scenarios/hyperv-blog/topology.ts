import { parseClusterConf } from '@quorate/cluster-conf';
import type { Program } from '@quorate/kernel';
import type { DiskSpec, MachineSpec, Topology } from '../../topology.js';
import { CLUSTER_CONF } from './cluster-conf.js';
import { blankDisks, DEVICES, formatDisks } from './disks.js';

/** Host names and addresses of part 1. */
const MACHINES: readonly MachineSpec[] = [
  { id: 1, name: 'my-vm1', mac: '00:15:5d:4c:4a:01', address: '10.156.76.74/22' },
  { id: 2, name: 'my-vm2', mac: '00:15:5d:4c:4a:02', address: '10.156.76.92/22' },
  { id: 3, name: 'my-vm3', mac: '00:15:5d:4c:4a:03', address: '10.156.76.48/22' },
  { id: 4, name: 'my-vm4', mac: '00:15:5d:4c:4a:04', address: '10.156.76.79/22' },
  { id: 5, name: 'my-vm5', mac: '00:15:5d:4c:4a:05', address: '10.156.76.75/22' },
];

const GATEWAY = '10.156.76.1';
export const FLOATING_ADDRESS = '10.156.76.58';

/** The lines of the default file that matter, with a number of clients for machines as small as these. */
const httpdConf = (documentRoot: string): string => `ServerRoot "/etc/httpd"
PidFile run/httpd.pid
Timeout 60
MaxClients 32
Listen 80
DocumentRoot "${documentRoot}"
<Directory "${documentRoot}">
`;

/** 2015-10-29 21:30:00 UTC: the evening of the walk-through's captures. */
const WALL_SEC = 1_446_154_200;

/** All that is there whatever is on the disks. */
const SURROUNDINGS = {
  machines: MACHINES,
  hosts: [
    { kind: 'gateway', nic: 6, mac: '00:15:5d:4c:4a:fe', address: `${GATEWAY}/22` },
    { kind: 'browser', nic: 7, mac: '00:15:5d:4c:4a:c8', address: '10.156.76.200/22' },
  ],
  gateway: GATEWAY,
  devices: DEVICES,
  link: 'hyperv-vswitch',
  page: { address: FLOATING_ADDRESS, path: '/' },
  wall: { sec: WALL_SEC, nsec: 0 },
} as const;

/**
 * The walk-through's five machines, their disks, the gateway and somebody with a browser.
 *
 * @throws {ConfigError} when `clusterConf` is none that a node would start with.
 */
export function hypervBlogTopology(
  programs: ReadonlyMap<string, Program>,
  clusterConf: string = CLUSTER_CONF,
): Topology {
  const { conf } = parseClusterConf(clusterConf);
  let disks: readonly DiskSpec[] | undefined;
  return {
    ...SURROUNDINGS,
    // No run writes to its images, so all runs share them.
    disks: () => {
      disks ??= formatDisks(conf.name);
      return disks;
    },
    clusterConf,
    files: new Map([
      ['/etc/fstab', '/dev/mapper/my--vg1-my--store1 /mydata gfs2 defaults 0 0\n'],
      ['/etc/httpd/conf/httpd.conf', httpdConf('/mydata/html')],
      ['/mydata/.keep', ''],
    ]),
    programs,
  };
}

/**
 * The ring of the last boot before the walk-through's first captures. Five machines that boot come to its generation, 6604, in five
 * rings and their own first one.
 */
const PAST_RING_SEQ = 6583;

/**
 * The same machines when the walk-through begins: its packages are installed, nothing is configured, no service of the cluster is
 * turned on, and the shared disks are blank. They have been a cluster before: the rings of its captures are numbered on from there.
 */
export function freshHypervBlogTopology(programs: ReadonlyMap<string, Program>): Topology {
  const turnedOff = ['K01rgmanager', 'K74gfs2', 'K76clvmd', 'K79cman'];
  return {
    ...SURROUNDINGS,
    disks: blankDisks,
    clusterConf: undefined,
    ringSeq: PAST_RING_SEQ,
    files: new Map([
      ...turnedOff.map((link): [string, string] => [`/etc/rc.d/rc3.d/${link}`, '']),
      ['/etc/fstab', ''],
      ['/etc/httpd/conf/httpd.conf', httpdConf('/var/www/html')],
    ]),
    programs,
  };
}
