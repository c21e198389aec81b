import { it } from 'vitest';
import { checkConsole } from './console.js';
import { loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { formattedDisk } from './volume.js';

const FILES = {
  '/etc/cluster/cluster.conf': loneCluster('  <rm/>\n'),
  '/etc/fstab': '/dev/sda2 /mydata gfs2 defaults 0 0\n',
  '/mydata/.keep': '',
  '/mnt/.keep': '',
};

it('nfs.txt: a directory is exported, mounted, used, and its server moves', () => {
  const machine = new TestMachine({ files: FILES, programs: TEST_PROGRAMS, store: formattedDisk() });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  checkConsole('nfs', machine);
});
