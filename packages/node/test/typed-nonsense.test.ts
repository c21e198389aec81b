import { SECOND } from '@quorate/kernel';
import fc from 'fast-check';
import { it } from 'vitest';
import { loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { formattedDisk } from './volume.js';

const PROGRAMS = [
  ...['ping', 'arping', 'ip', 'ifconfig', 'mount', 'umount', 'httpd', 'killall', 'cman_tool', 'mkqdisk', 'service'],
  ...['fence_tool', 'fence_node', 'fence_ack_manual', 'fence_scsi', 'fence_power', 'fenced', 'qdiskd', 'dlm_controld'],
  ...['gfs_controld', 'rgmanager', '/etc/init.d/gfs2', '/usr/share/cluster/ip.sh', '/usr/share/cluster/clusterfs.sh'],
  ...['/usr/share/cluster/apache.sh', 'cat', 'ls', 'mv', 'rm', 'mkdir', 'rmdir', 'stat', 'ask', 'scsi', 'sh'],
];
const WORDS = [
  ...[
    'addr',
    'link',
    'add',
    'del',
    'set',
    'show',
    'up',
    'down',
    'dev',
    'eth0',
    'eth7',
    'join',
    'leave',
    'ls',
    'status',
  ],
  ...[
    'nodes',
    'version',
    'kill',
    'expected',
    'start',
    'stop',
    'monitor',
    'off',
    'on',
    'alpha',
    'beta',
    '-',
    '--',
    '-1',
    '0',
  ],
  ...[
    '65536',
    '1e99',
    'NaN',
    '10.0.0.9',
    '10.0.0.300',
    '10.0.0.58/24',
    '10.0.0.58/33',
    '::1',
    '/',
    '//',
    '..',
    '/mydata',
  ],
  ...[
    '/mydata/x',
    '/etc/hosts',
    '/none/x',
    '/dev/sda',
    '/dev/sda2',
    '/dev/sdz',
    'gfs2',
    '-t',
    '-o',
    '-c',
    '-l',
    '-n',
    '-w',
  ],
  ...[
    '-f',
    '-F',
    '-e',
    '-L',
    '-I',
    '-W',
    '-a',
    '-k',
    '-U',
    '>',
    '>>',
    '<',
    '|',
    '&&',
    ';',
    "'",
    '""',
    'é',
    '\u{1f4be}',
  ],
];

const command = fc
  .tuple(
    fc.constantFrom(...PROGRAMS),
    fc.array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 5 })), { maxLength: 6 }),
  )
  .map(([program, words]) => [program, ...words].join(' '));

function newMachine(): TestMachine {
  const machine = new TestMachine({
    files: {
      '/etc/cluster/cluster.conf': loneCluster(),
      '/etc/fstab': '/dev/sda2 /mydata gfs2 defaults 0 0\n',
      '/mydata/.keep': '',
    },
    programs: TEST_PROGRAMS,
    store: formattedDisk(),
  });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  return machine;
}

it('nothing that is typed stops a node', () => {
  const typeAll = (lines: readonly string[]): void => {
    const machine = newMachine();
    for (const line of lines) {
      machine.typeOnly(line);
      machine.run(2 * SECOND);
    }
  };
  const commands = fc.array(command, { minLength: 20, maxLength: 20 });
  fc.assert(fc.property(commands, typeAll), { seed: 11, numRuns: 20 });
});
