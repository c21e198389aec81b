import type { Program } from '@quorate/kernel';
import type { DiskSpec, MachineSpec, Topology } from '../../topology.js';
import { formatDisks, VOLUME } from './disks.js';

const CLUSTER = 'san';
const GATEWAY = '10.0.0.254';
/** Everybody's directory of the shared file system. */
export const DIRECTORY = '/shared';

/** iSCSI name of the storage host's target. */
export const TARGET = 'iqn.2016-02.example.quorate:san';
/** What `iscsiadm -m session` says of it. */
export const PORTAL = '10.0.0.250:3260,1';

const MACHINES: readonly MachineSpec[] = [1, 2, 3].map((id) => {
  return { id, name: `node${id}`, mac: `02:00:00:00:00:0${id}`, address: `10.0.0.${id}/24` };
});

/** 2015-01-01 00:00:00 UTC. */
const WALL_SEC = 1_420_070_400;

/**
 * Three machines without a disk that hangs on them all: what they share, a file system and a quorum disk, are units of an iSCSI
 * target on a storage host, which they log in to at boot. They are fenced by their keys on that target.
 */
export function iscsiSharedDiskTopology(programs: ReadonlyMap<string, Program>): Topology {
  let disks: readonly DiskSpec[] | undefined;
  return {
    machines: MACHINES,
    hosts: [
      { kind: 'gateway', nic: 4, mac: '02:00:00:00:00:04', address: `${GATEWAY}/24` },
      { kind: 'browser', nic: 5, mac: '02:00:00:00:00:05', address: '10.0.0.200/24' },
      {
        kind: 'storage',
        nic: 6,
        mac: '02:00:00:00:00:06',
        address: '10.0.0.250/24',
        target: TARGET,
        // No run writes to its images, so all runs share them.
        disks: () => {
          disks ??= formatDisks(CLUSTER);
          return disks;
        },
      },
    ],
    gateway: GATEWAY,
    disks: () => [],
    devices: [],
    link: 'lan',
    clusterConf: clusterConf(),
    files: new Map([
      ['/etc/fstab', `${VOLUME.path} ${DIRECTORY} gfs2 defaults 0 0\n`],
      [`${DIRECTORY}/.keep`, ''],
    ]),
    programs,
    page: { address: '10.0.0.1', path: '/' },
    wall: { sec: WALL_SEC, nsec: 0 },
  };
}

/** Two nodes and the quorum disk are quorate. */
function clusterConf(): string {
  const nodes = MACHINES.map(
    ({ id, name }) => `    <clusternode name="${name}" nodeid="${id}">
      <fence><method name="scsi"><device name="scsi" devices="/dev/sdb"/></method></fence>
      <unfence><device name="scsi" devices="/dev/sdb" action="on"/></unfence>
    </clusternode>
`,
  );
  return `<?xml version="1.0"?>
<cluster config_version="1" name="${CLUSTER}">
  <cman expected_votes="5"/>
  <quorumd label="san" votes="2" min_score="1">
    <heuristic program="ping -c1 -W1 ${GATEWAY}" score="1" interval="2" tko="3"/>
  </quorumd>
  <clusternodes>
${nodes.join('')}  </clusternodes>
  <fencedevices>
    <fencedevice agent="fence_scsi" name="scsi"/>
  </fencedevices>
</cluster>
`;
}
