import { SECOND } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';
import { beforeEach, expect, it } from 'vitest';
import { checkConsole } from './console.js';
import { loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { formattedDisk } from './volume.js';

const SERVICE = `  <rm>
    <service autostart="0" name="db">
      <ip address="10.0.0.58" sleeptime="0"/>
      <mysql name="m" config_file="/etc/my.cnf" startup_wait="10"/>
      <postgres-8 name="p" config_file="/mydata/pg/postgresql.conf" postmaster_options="-D /mydata/pg"/>
    </service>
  </rm>
`;

const FILES = {
  '/etc/cluster/cluster.conf': loneCluster(SERVICE),
  '/etc/fstab': '/dev/sda2 /mydata gfs2 defaults 0 0\n',
  '/etc/my.cnf': '# of the administrator\n[client]\nport=1\n[mysqld]\ndatadir=/mydata/my\n[other]\nport=2\n',
  '/mydata/.keep': '',
};

function boot(files: Readonly<Record<string, string>>, store: BlockStore): TestMachine {
  const booted = new TestMachine({ files, programs: TEST_PROGRAMS, store });
  booted.boot();
  booted.runUntilLogged('runlevel 3 reached');
  return booted;
}

let machine: TestMachine;

beforeEach(() => {
  machine = boot(FILES, formattedDisk());
  for (const command of ['mkdir /mydata/my', 'mkdir /mydata/pg']) machine.type(command);
  machine.type("echo 'port = 5433' > /mydata/pg/postgresql.conf");
  machine.log.length = 0;
});

it('databases.txt: databases are started, stopped, killed and recovered by their agents', () => {
  checkConsole('databases', machine);
});

it('what a client was told is there after a power cut, and takes the longer to recover the more there is', () => {
  const start = 'agent mysql:m start service_name=db config_file=/etc/my.cnf startup_wait=10';
  expect(machine.type(start)?.status).toBe(0);
  const recoveries: number[] = [];
  for (const count of [1, 200]) {
    for (let i = 0; i < count; i++)
      expect(machine.type(`mysql -h 10.0.0.1 -e 'put k${i} ${count}'`)?.output).toBe('OK\n');
    // Nothing but the disks is left.
    machine = boot(machine.files(), machine.store);
    const before = machine.now;
    expect(machine.type(start)?.status).toBe(0);
    recoveries.push(Math.round((machine.now - before) / SECOND));
    expect(machine.type("mysql -h 10.0.0.1 -e 'get k0'")?.output).toBe(`${count}\n`);
  }
  expect(recoveries).toEqual([3, 4]);
});
