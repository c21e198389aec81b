import { SECOND } from '@quorate/kernel';
import type { Lab, Scenario, Topology } from '@quorate/lab';
import { SparseStore } from '@quorate/scsi';

const CLUSTER_CONF = `<?xml version="1.0"?>
<cluster config_version="1" name="pair">
  <cman expected_votes="1" two_node="1"/>
  <totem token="3000"/>
  <fence_daemon clean_start="1"/>
  <clusternodes>
    <clusternode name="left" nodeid="1"/>
    <clusternode name="right" nodeid="2"/>
  </clusternodes>
</cluster>
`;

const DISK_BLOCKS = 16_384;

/** Two machines on a switch with a disk of 8 MiB that has one block written. */
export function twoMachines(): Topology {
  return {
    machines: [
      { id: 1, name: 'left', mac: '02:00:00:00:00:01', address: '10.0.0.1/24' },
      { id: 2, name: 'right', mac: '02:00:00:00:00:02', address: '10.0.0.2/24' },
    ],
    hosts: [
      { kind: 'gateway', nic: 3, mac: '02:00:00:00:00:03', address: '10.0.0.254/24' },
      { kind: 'browser', nic: 4, mac: '02:00:00:00:00:04', address: '10.0.0.9/24' },
    ],
    gateway: '10.0.0.254',
    disks: () => {
      const image = new SparseStore({ blocks: DISK_BLOCKS });
      image.write(2, new Uint8Array(512).fill(0x5a));
      return [{ lun: 0, serial: '6002248000000001', image }];
    },
    devices: [{ path: '/dev/sdb', aliases: [], lun: 0, start: 0, blocks: DISK_BLOCKS }],
    link: 'hyperv-vswitch',
    clusterConf: CLUSTER_CONF,
    files: new Map(),
    programs: new Map(),
    page: { address: '10.0.0.1', path: '/' },
    wall: { sec: 1_446_154_200, nsec: 0 },
  };
}

/** What came of the commands of `PING`. */
export interface PingResult {
  readonly ping: string;
  readonly status: number | undefined;
  readonly whenOff: number | undefined;
}

/** Both machines boot, one pings the other, then loses its power. */
export function pingScenario(): Scenario<PingResult> {
  return {
    name: 'ping',
    title: 'one machine pings another',
    kinds: ['node.state'],
    *script(lab: Lab) {
      lab.powerOn(...lab.machines);
      yield* lab.waitFor((fact) => fact.node === 2 && 'state' in fact && fact.state === 'up', 60 * SECOND);
      yield* lab.wait(2 * SECOND);
      const ping = yield* lab.exec('left', 'ping -c2 10.0.0.2');
      lab.powerOff('left', 'right');
      const off = yield* lab.waitFor((fact) => fact.node === 1 && 'state' in fact && fact.state === 'off', 5 * SECOND);
      const refused = yield* lab.exec('left', 'true');
      return { ping: ping?.output ?? '', status: ping?.status, whenOff: off === undefined ? -1 : refused?.status };
    },
    atEnd(stores, now) {
      const bytes = new Uint8Array(512);
      stores.get(0)!.read(2, 1, bytes);
      return [{ kind: 'test.disk', now, first: bytes[0] } as never];
    },
  };
}
