import { Checker, type Program, SECOND } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { invariants } from '../src/index.js';
import { checkConsole } from './console.js';
import { loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { formattedDisk } from './volume.js';

const SERVICE = `  <rm>
    <resources>
      <ip address="10.0.0.58" sleeptime="10"/>
      <apache config_file="conf/httpd.conf" name="site" server_root="/etc/httpd" shutdown_wait="5"/>
    </resources>
    <service autostart="1" name="web" recovery="relocate">
      <ip ref="10.0.0.58">
        <apache ref="site"/>
      </ip>
    </service>
  </rm>
`;

const FILES = {
  '/etc/cluster/cluster.conf': loneCluster(SERVICE),
  '/etc/fstab':
    '# device directory type options\n/dev/sda2 /mydata gfs2 defaults 0 0\n/dev/sda1 /old gfs2 noauto 0 0\n',
  '/etc/httpd/conf/httpd.conf':
    'ServerRoot "/etc/httpd"\nPidFile run/httpd.pid\nListen 80\nDocumentRoot "/mydata/html"\n',
  '/mydata/.keep': '',
};

describe('a node alone', () => {
  let machine: TestMachine;

  beforeEach(() => {
    machine = new TestMachine({ files: FILES, programs: TEST_PROGRAMS, store: formattedDisk() });
    machine.boot();
    machine.runUntilLogged('runlevel 3 reached');
  });

  it('boots in order, serves a page, and shuts down in the reverse order', () => {
    checkConsole('lone-node', machine);
  });

  it('keeps every rule from its boot to its end', () => {
    machine.run(20 * SECOND);
    machine.type('shutdown -h now');
    const checker = new Checker(invariants);
    for (const fact of machine.facts) checker.observe(fact);
    checker.end(machine.now);
    expect(checker.violations).toEqual([]);
  });

  it.each([
    ['was opening', 1],
    ['had open', 4],
  ])('closes what a process %s when it was killed', (_what, ms) => {
    expect(machine.type(`limit ${ms / 1000} record /mydata/page`)?.status).toBe(137);
    machine.run(SECOND);
    expect(machine.type('umount /mydata')).toEqual({ status: 0, output: '', errors: '' });
  });

  it('takes further journals, and finds that neither the device has grown nor the disk can discard', () => {
    expect(machine.type('gfs2_jadd -j 2 -J 8 /mydata')).toEqual({
      status: 0,
      output: 'Filesystem: /mydata\nOld journals: 1\nNew journals: 3\n',
      errors: '',
    });
    const refused = 'fstrim: /mydata: the discard operation is not supported\n';
    expect(machine.type('fstrim /mydata')).toEqual({ status: 1, output: '', errors: refused });
    const small = 'The calculated resource group size is too small.\n/dev/sda2 has not grown.\n';
    expect(machine.type('gfs2_grow -q /mydata')).toEqual({ status: 255, output: '', errors: small });
    expect(machine.type('gfs2_grow -q /nowhere')).toMatchObject({ status: 1 });
    machine.type('umount /mydata');
    expect(machine.type('mount /mydata')).toMatchObject({ status: 0 });
  });

  it('says nothing after it has halted, and wants nothing', () => {
    machine.type('shutdown -h now');
    const said = machine.log.length;
    machine.run(60 * SECOND);
    expect([machine.halted, machine.log.length]).toEqual(['poweroff', said]);
  });

  it('stays in the fence domain while it has a lockspace, even one that rgmanager was still joining', () => {
    const lockspaces = (): string => machine.type('ls /sys/kernel/dlm')!.output.trim();
    expect(lockspaces()).toBe('clvmd rgmanager storage');
    expect(machine.type('fence_tool leave')!.errors).toContain('found dlm lockspace /sys/kernel/dlm/rgmanager\n');
    machine.type('service rgmanager stop');
    expect(lockspaces()).toBe('clvmd storage');
    machine.type('service gfs2 stop');
    expect(lockspaces()).toBe('clvmd');
    machine.type('service clvmd stop');
    expect(lockspaces()).toBe('');
    expect(machine.type('fence_tool leave')!.status).toBe(0);
  });

  it.each([
    ['reboot', 'reboot'],
    ['shutdown -r now', 'reboot'],
    ['poweroff', 'poweroff'],
  ])('%s ends in %s', (command, how) => {
    machine.type(command);
    expect(machine.halted).toBe(how);
  });

  it('gives the same facts and words at the same instants every time', () => {
    const again = new TestMachine({ files: FILES, programs: TEST_PROGRAMS, store: formattedDisk() });
    again.boot();
    again.runUntilLogged('runlevel 3 reached');
    for (const each of [machine, again]) each.run(20 * SECOND);
    expect(again.facts).toEqual(machine.facts);
    expect(again.log).toEqual(machine.log);
  });
});

it('freezes its volume, from which files are still read, and thaws it', () => {
  const machine = new TestMachine({ files: FILES, programs: TEST_PROGRAMS, store: formattedDisk() });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  const done = { status: 0, output: '', errors: '' };
  expect(machine.type('fsfreeze -f /mydata')).toEqual(done);
  expect(machine.type('gfs2_tool freeze /mydata')?.errors).toBe(
    'gfs2_tool: /mydata: freeze failed: Device or resource busy\n',
  );
  expect(machine.type('umount /mydata')).toMatchObject({ status: 1 });
  expect(machine.type('gfs2_tool unfreeze /mydata')).toEqual(done);
  expect(machine.type('umount /mydata')).toEqual(done);
});

it('gives a thin disk back what its volume does not use', () => {
  const store = formattedDisk();
  const machine = new TestMachine({ files: FILES, programs: TEST_PROGRAMS, store, isThin: true });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  const before = store.mappedBlocks;
  expect(machine.type('fstrim -v -m 1M /mydata')).toMatchObject({
    status: 0,
    output: expect.stringMatching(/^\/mydata: \d{8} bytes were trimmed\n$/),
  });
  expect(store.mappedBlocks).toBeLessThanOrEqual(before);
  expect(machine.type('fstrim -v /mydata')?.output).toBe('/mydata: 0 bytes were trimmed\n');
});

it('has quotas on a volume that counts them', () => {
  const files = {
    ...FILES,
    '/etc/fstab': FILES['/etc/fstab'].replace('defaults', 'quota=on'),
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nalice:x:500:500::/home/alice:/bin/bash\n',
    '/etc/group': 'root:x:0:\nusers:x:100:\n',
  };
  const machine = new TestMachine({ files, programs: TEST_PROGRAMS, store: formattedDisk() });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  checkConsole('quota', machine);
});

it('has access control lists on a volume with acl', () => {
  const files = {
    ...FILES,
    '/etc/fstab': FILES['/etc/fstab'].replace('defaults', 'acl'),
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nalice:x:500:500::/home/alice:/bin/bash\n',
  };
  const machine = new TestMachine({ files, programs: TEST_PROGRAMS, store: formattedDisk() });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  checkConsole('acl', machine);
});

it.each([
  ['defaults,discard', true],
  ['defaults', false],
])('mounted with %s a thin disk gets back what is removed: %s', (options, isGivenBack) => {
  const store = formattedDisk();
  const programs: Readonly<Record<string, Program>> = {
    ...TEST_PROGRAMS,
    *fill([, path = ''], os) {
      yield* os.writeFile(path, new Uint8Array(1 << 20).fill(1));
      return 0;
    },
  };
  const files = { ...FILES, '/etc/fstab': FILES['/etc/fstab'].replace('defaults', options) };
  const machine = new TestMachine({ files, programs, store, isThin: true });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  machine.type('fill /mydata/large');
  machine.run(60 * SECOND);
  const full = store.mappedBlocks;
  machine.type('rm /mydata/large');
  machine.run(60 * SECOND);
  const freedBytes = 512 * (full - store.mappedBlocks);
  if (isGivenBack) expect(freedBytes).toBeGreaterThan(1 << 19);
  else expect(freedBytes).toBeLessThanOrEqual(0);
});

describe('httpd while the disk does not answer', () => {
  const REQUEST = 'GET /none.html HTTP/1.0\r\n\r\n';

  /** The page is asked for that often, ten times a second; then the disk answers again. */
  function besieged(times: number, directives: string): TestMachine {
    const conf = '/etc/httpd/conf/httpd.conf';
    const files = { ...FILES, [conf]: `${FILES[conf]}${directives}` };
    const machine = new TestMachine({ files, programs: TEST_PROGRAMS, store: formattedDisk() });
    machine.boot();
    machine.runUntilLogged('Service service:web started');
    machine.disk({ kind: 'impair', nexus: 1, impairment: { hungUntil: machine.now + 60 * SECOND } });
    for (let i = 0; i < times; i++) {
      machine.connect('10.0.0.58', REQUEST);
      machine.run(SECOND / 10);
    }
    return machine;
  }

  function violations(machine: TestMachine): string[] {
    const checker = new Checker(invariants);
    for (const fact of machine.facts) checker.observe(fact);
    return checker.violations.map(({ invariant }) => invariant);
  }

  it('serves MaxClients at once, and who comes later when its turn has come', () => {
    const machine = besieged(100, 'MaxClients 32\n');
    expect(violations(machine)).toEqual([]);
    machine.run(60 * SECOND);
    expect(machine.fetch('10.0.0.58', REQUEST)).toContain('404 Not Found');
  });

  it('without that is found by the rule that counts tasks', () => {
    expect(violations(besieged(100, ''))).toContain('S35');
  });

  it('turns away whom there is no room to wait for', () => {
    const machine = besieged(20, 'MaxClients 1\n');
    for (let i = 0; i < 110; i++) machine.connect('10.0.0.58', REQUEST);
    expect(machine.fetch('10.0.0.58', REQUEST)).toBe('');
  });

  it('takes the next one for a client that has not asked for anything for the time of Timeout', () => {
    const machine = besieged(0, 'MaxClients 1\nTimeout 5\n');
    machine.connect('10.0.0.58');
    machine.run(61 * SECOND);
    expect(machine.fetch('10.0.0.58', REQUEST)).toContain('404 Not Found');
  });
});

it('a shutdown ends what is left of the boot, and starts nothing that would have come next', () => {
  const conf = loneCluster(SERVICE).replace('expected_votes="1"', 'expected_votes="2"');
  const machine = new TestMachine({ files: { ...FILES, '/etc/cluster/cluster.conf': conf }, programs: TEST_PROGRAMS });
  machine.boot();
  machine.run(10 * SECOND);
  expect(machine.type('ps')!.output).toContain('/etc/init.d/cman start');
  machine.typeOnly('shutdown -h now');
  machine.run(3 * SECOND);
  expect(machine.type('ps')!.output).not.toContain(' start');
  machine.run(70 * SECOND);
  expect(machine.halted).toBe('poweroff');
});

describe('daemons and their tools', () => {
  it.each([
    ['cman-tool', 'cman_tool joins, shows, leaves and complains'],
    ['cman-overrides', 'the command line of cman_tool join counts more than the file'],
    ['corosync-tools', 'corosync tells its tools of the quorum service and of process groups'],
    ['config-version', 'a newer cluster.conf is read when an administrator says so'],
    ['cluster-conf', 'a cluster.conf that a node does not start with is complained about'],
    ['logging', 'the daemons log where cluster.conf says'],
    ['ring-interface', 'the ring notices that its address goes away and comes back'],
    ['mount', 'mount and umount reach GFS2 and complain'],
  ])('%s.txt: %s', (name) => {
    const programs = { ...TEST_PROGRAMS, '/etc/rc.d/rc': TEST_PROGRAMS.echo! };
    const machine = new TestMachine({ files: FILES, programs, store: formattedDisk() });
    machine.boot();
    checkConsole(name, machine);
  });

  it('a file system of another cluster is not mounted', () => {
    const machine = new TestMachine({ files: FILES, store: formattedDisk('other:storage') });
    machine.boot();
    machine.runUntilLogged('runlevel 3 reached');
    expect(machine.log).toContain('mount.gfs2: fs is for a different cluster: it says "other", this is "solo"');
    expect(machine.type('mount')?.output).toBe('');
  });

  it('a power agent asks the switch outside, and its answer reaches it', () => {
    const machine = new TestMachine({ programs: TEST_PROGRAMS });
    machine.boot();
    const result = machine.type('fence_power -a hyperv1 -n my-vm2 -o status');
    expect(machine.powerRequests).toEqual([{ action: 'status', host: 'hyperv1', machine: 'my-vm2' }]);
    expect(result).toEqual({ status: 0, output: 'Status: ON\n', errors: '' });
  });
});
