import { SparseStore } from '@quorate/scsi';
import { it } from 'vitest';
import { checkConsole } from './console.js';
import { TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { partitionedDisk } from './volume.js';

const TARGET = 'iqn.2016-02.example.quorate:shared';
const INITIATOR = 'iqn.2016-02.example.quorate:alpha';

/** As RHEL 6 has them. */
const ISCSID_CONF = `node.startup = automatic
node.session.timeo.replacement_timeout = 120
node.conn[0].timeo.login_timeout = 15
node.conn[0].timeo.noop_out_interval = 5
node.conn[0].timeo.noop_out_timeout = 5
node.session.initial_login_retry_max = 8
`;

const FILES = {
  '/etc/iscsi/initiatorname.iscsi': `InitiatorName=${INITIATOR}\n`,
  '/etc/iscsi/iscsid.conf': ISCSID_CONF,
};

/** A machine whose only disks are those of the other host: one with partitions at LUN 1, one without at LUN 2. */
function machine(files: Readonly<Record<string, string>> = {}): TestMachine {
  const logicalUnits = [
    { lun: 1, serial: 'REMOTE1', store: partitionedDisk().store },
    { lun: 2, serial: 'REMOTE2', store: new SparseStore({ blocks: 16_384 }) },
  ];
  const targets = [
    { name: TARGET, logicalUnits, initiators: [INITIATOR] },
    {
      name: 'iqn.2016-02.example.quorate:secret',
      logicalUnits: [],
      users: [{ name: 'alpha', secret: 'not for the wall' }],
    },
    { name: 'iqn.2016-02.example.quorate:other', logicalUnits: [], initiators: ['iqn.2016-02.example.quorate:beta'] },
  ];
  const its = new TestMachine({
    files: { ...FILES, ...files },
    programs: TEST_PROGRAMS,
    targets,
    // The first two are of no use to this machine, which has no IPv6.
    portals: ['[fe80::9]:3260', 'no portal', '10.0.0.9:3260'],
    devices: [],
  });
  its.boot();
  its.runUntilLogged('runlevel 3 reached');
  return its;
}

it('discovers, logs in, shows and logs out as open-iscsi does', () => checkConsole('iscsi', machine()));

it('comes back after its network was away, and gives up what waits too long', () => {
  checkConsole('iscsi-recovery', machine());
});

it('aborts what a disk does not answer', () => checkConsole('iscsi-errors', machine()));

it('logs in at boot to what is marked for it, and out at shutdown', () => {
  const first = machine();
  first.type('iscsiadm -m discovery -t st -p beta');
  first.type(`iscsiadm -m node -T iqn.2016-02.example.quorate:secret -o update -n node.startup -v manual`);
  checkConsole('iscsi-boot', machine(first.files()));
});
