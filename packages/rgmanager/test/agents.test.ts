import { readFileSync } from 'node:fs';
import { isErrno, type Program, type ProgramResult, utf8Bytes, utf8Text } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { isEdited } from '../src/agents/httpd-conf.js';
import { isInNetwork, parseIpv4 } from '../src/agents/ipv4.js';
import { metadataText } from '../src/agents/metadata-text.js';
import { sha1 } from '../src/agents/sha1.js';
import { agentPrograms, installedAgents, readAgentMetadata } from '../src/index.js';
import { FakeMachine } from './agents-os.js';
import { parseXml } from './xml.js';

type Attributes = Readonly<Record<string, string>>;
type Ending = ProgramResult & { readonly seconds: number };

let machine: FakeMachine;

/** Runs an agent on the machine as rgmanager does. `depth` is OCF_CHECK_LEVEL. */
function runAgent(type: string, action: string, attributes: Attributes = {}, depth = 0): Ending {
  const name = attributes.name ?? attributes.address ?? '';
  const environment = {
    ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`OCF_RESKEY_${key}`, value])),
    OCF_RESOURCE_INSTANCE: `${type}:${name}`,
    OCF_RESOURCE_TYPE: type,
    OCF_CHECK_LEVEL: String(depth),
  };
  return machine.run([`/usr/share/cluster/${type}.sh`, action], environment);
}

function logged(...priorities: readonly string[]): readonly string[] {
  const lines = machine.events.filter((event) =>
    priorities.some((priority) => event.startsWith(`${priority} rgmanager: `)),
  );
  return lines.map((line) => line.replace(' rgmanager: ', ' '));
}

function done(): readonly string[] {
  return machine.events.filter((event) => !event.includes(' rgmanager: '));
}

beforeEach(() => {
  machine = new FakeMachine();
  for (const [file, program] of agentPrograms) machine.programs.set(file, program);
  machine.interfaces.push(
    { name: 'lo', mac: '00:00:00:00:00:00', isUp: true, hasCarrier: true, addresses: ['127.0.0.1/8'] },
    { name: 'eth0', mac: '00:15:5d:4c:4a:01', isUp: true, hasCarrier: true, addresses: ['10.156.76.74/22'] },
    { name: 'eth1', mac: '00:15:5d:4c:4a:11', isUp: true, hasCarrier: true, addresses: ['192.168.7.1/24'] },
  );
});

describe('every agent', () => {
  it('is installed where rgmanager looks for it', () => {
    expect([...agentPrograms.keys()].sort()).toEqual(installedAgents.map(({ file }) => file).sort());
  });

  it.each(installedAgents.map((agent) => [agent.metadata.name, agent.metadata] as const))(
    '%s prints metadata that reads back as its own',
    (type, metadata) => {
      const { status, output } = runAgent(type, 'meta-data');
      expect(status).toBe(0);
      const declared = parseXml(metadataText(metadata));
      expect(readAgentMetadata(parseXml(output))).toEqual(readAgentMetadata(declared));
      const vector = parseXml(readFileSync(new URL(`./data/vectors/agents/${type}.xml`, import.meta.url), 'utf8'));
      expect(readAgentMetadata(parseXml(output))).toEqual(readAgentMetadata(vector));
    },
  );

  it.each(['ip', 'apache', 'fs', 'clusterfs'])(
    '%s does not know an action of another kind: 3, and how to call it',
    (type) => {
      const { status, output } = runAgent(type, 'promote');
      expect(status).toBe(3);
      expect(output).toBe(
        `usage: /usr/share/cluster/${type}.sh {start|stop|status|monitor|restart|meta-data|validate-all}\n`,
      );
    },
  );

  it('service succeeds at everything and does nothing', () => {
    for (const action of [
      'start',
      'stop',
      'status',
      'monitor',
      'recover',
      'reconfig',
      'reload',
      'validate-all',
      'xyz',
    ]) {
      expect(runAgent('service', action, { name: 'web' }).status).toBe(0);
      expect(machine.events).toEqual([]);
    }
  });
});

describe('ip', () => {
  const ADDRESS = '10.156.76.58';
  const start = (attributes: Attributes = {}): Ending => runAgent('ip', 'start', { address: ADDRESS, ...attributes });

  it('starts in 3 s: a ping that nobody answers, the address, gratuitous ARP', () => {
    expect(start()).toMatchObject({ status: 0, seconds: 3 });
    expect(done()).toEqual([
      `run ping -c 1 -w 2 -I eth0 ${ADDRESS}`,
      `add ${ADDRESS}/22 to eth0`,
      `run arping -q -c 2 -U -I eth0 ${ADDRESS}`,
    ]);
    expect(logged('info', 'warning', 'err')).toEqual([`info [ip] Adding IPv4 address ${ADDRESS}/22 to eth0`]);
    expect(logged('debug')).toEqual([
      'debug [ip] Link for eth0: Detected',
      `debug [ip] Pinging addr ${ADDRESS} from dev eth0`,
      `debug [ip] Sending gratuitous ARP: ${ADDRESS} 00:15:5d:4c:4a:01 brd ff:ff:ff:ff:ff:ff`,
    ]);
  });

  it('starts at once where the address is', () => {
    start();
    expect(start()).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.events).toEqual([`debug rgmanager: [ip] ${ADDRESS} already configured`]);
  });

  it('does not start an address that somebody answers to', () => {
    machine.neighbours.add(ADDRESS);
    expect(start()).toMatchObject({ status: 1, seconds: 0 });
    expect(logged('err')).toEqual([`err [ip] IPv4 address collision ${ADDRESS}`]);
    expect(machine.interfaces[1]!.addresses).toEqual(['10.156.76.74/22']);
  });

  it.each<[string, Attributes, (() => void) | undefined, number, string | undefined]>([
    ['a prefix length that fits', { address: `${ADDRESS}/22` }, undefined, 0, 'eth0'],
    ['a prefix length that the interface does not have', { address: `${ADDRESS}/24` }, undefined, 1, undefined],
    ['another network', { address: '10.1.1.1' }, undefined, 1, undefined],
    ['the network of the second interface', { address: '192.168.7.9' }, undefined, 0, 'eth1'],
    ['a preferred interface in another network', { prefer_interface: 'eth1' }, undefined, 1, undefined],
    ['no address', { address: '' }, undefined, 1, undefined],
    ['IPv6', { address: 'fe80::1' }, undefined, 1, undefined],
    ['an interface without link', {}, () => setEth0({ hasCarrier: false }), 1, undefined],
    ['an interface without link, unmonitored', { monitor_link: '0' }, () => setEth0({ hasCarrier: false }), 0, 'eth0'],
    ['an interface that is down', { monitor_link: 'no' }, () => setEth0({ isUp: false }), 1, undefined],
    ['an address that the kernel refuses', {}, () => machine.failures.set(`${ADDRESS}/22`, 'EINVAL'), 1, undefined],
  ])('start with %s', (_name, attributes, arrange, status, name) => {
    arrange?.();
    expect(start(attributes).status).toBe(status);
    const address = attributes.address ?? ADDRESS;
    const owner = machine.interfaces.find(({ addresses }) =>
      addresses.some((own) => own.startsWith(address || 'none')),
    );
    expect(owner?.name).toBe(name);
  });

  it('prefers the interface it is told to where two are in the network', () => {
    machine.interfaces[2]!.addresses = ['10.156.76.99/22'];
    expect(start({ prefer_interface: 'eth1' }).status).toBe(0);
    expect(machine.interfaces[2]!.addresses).toContain(`${ADDRESS}/22`);
  });

  it.each([
    [undefined, 10],
    ['0', 0],
    ['3', 3],
    ['soon', 0],
  ])('stop removes the address and waits: sleeptime %s is %i s', (sleeptime, seconds) => {
    start();
    const attributes = { address: ADDRESS, ...(sleeptime !== undefined && { sleeptime }) };
    expect(runAgent('ip', 'stop', attributes)).toMatchObject({ status: 0, seconds });
    expect(done()).toEqual([`delete ${ADDRESS}/22 from eth0`]);
    expect(logged('info')).toEqual([`info [ip] Removing IPv4 address ${ADDRESS}/22 from eth0`]);
  });

  it('stops at once what is not there', () => {
    expect(runAgent('ip', 'stop', { address: ADDRESS })).toMatchObject({ status: 0, seconds: 0 });
    expect(done()).toEqual([]);
  });

  it('does not stop when the address stays', () => {
    start();
    machine.failures.set(`${ADDRESS}/22`, 'EINVAL');
    expect(runAgent('ip', 'stop', { address: ADDRESS })).toMatchObject({ status: 1, seconds: 0 });
    expect(logged('err')).toEqual([`err [ip] Failed to remove ${ADDRESS}`]);
  });

  it.each<[string, number, Attributes, () => void, number, readonly string[]]>([
    [
      'where it was not started',
      0,
      {},
      () => machine.interfaces[1]!.addresses.pop(),
      7,
      [`${ADDRESS} is not configured`],
    ],
    ['of a started address', 0, {}, () => {}, 0, []],
    ['of a started address, deeper', 10, {}, () => {}, 0, []],
    [
      'with the cable out',
      0,
      {},
      () => setEth0({ hasCarrier: false }),
      7,
      ['Link for eth0: Not detected', 'No link on eth0...'],
    ],
    ['with the cable out, unmonitored', 0, { monitor_link: '0' }, () => setEth0({ hasCarrier: false }), 0, []],
    ['with the interface down, unmonitored', 0, { monitor_link: '0' }, () => setEth0({ isUp: false }), 2, []],
    [
      'of an address that does not answer, deeper',
      10,
      {},
      () => machine.failures.set(`ping ${ADDRESS}`, 'ETIMEDOUT'),
      7,
      [`Failed to ping ${ADDRESS}`],
    ],
    ['of an address that does not answer', 0, {}, () => machine.failures.set(`ping ${ADDRESS}`, 'ETIMEDOUT'), 0, []],
  ])('status %s, depth %i', (_name, depth, attributes, arrange, status, warnings) => {
    start();
    arrange();
    expect(runAgent('ip', 'status', { address: ADDRESS, ...attributes }, depth).status).toBe(status);
    expect(logged('warning')).toEqual(warnings.map((text) => `warning [ip] ${text}`));
    expect(runAgent('ip', 'monitor', { address: ADDRESS, ...attributes }, depth).status).toBe(status);
  });

  it.each([
    [ADDRESS, 0],
    [`${ADDRESS}/22`, 0],
    ['', 2],
    ['10.156.76', 2],
    ['10.156.76.256', 2],
    ['10.156.76.58/33', 2],
    ['my-vm1', 2],
  ])('validate-all of %j is %i', (address, status) => {
    expect(runAgent('ip', 'validate-all', { address }).status).toBe(status);
  });

  it.each([
    ['10.156.79.255', '10.156.76.74/22', true],
    ['10.156.80.0', '10.156.76.74/22', false],
    ['255.255.255.255', '0.0.0.0/0', true],
    ['10.0.0.1', '10.0.0.1/32', true],
    ['10.0.0.2', '10.0.0.1/32', false],
    ['200.0.0.129', '200.0.0.1/25', false],
    ['200.0.0.9/24', '200.0.0.1/25', false],
  ])('%s in the network of %s: %s', (address, own, expected) => {
    expect(isInNetwork(parseIpv4(address)!, parseIpv4(own)!)).toBe(expected);
  });

  function setEth0(state: { isUp?: boolean; hasCarrier?: boolean }): void {
    Object.assign(machine.interfaces[1]!, state);
  }
});

describe('script', () => {
  const FILE = '/etc/init.d/httpd';
  const attributes = { name: 'web', file: FILE };
  let isRunning = false;

  beforeEach(() => {
    isRunning = false;
    machine.programs.set(FILE, function* (argv) {
      switch (argv[1]) {
        case 'start':
          isRunning = true;
          return 0;
        case 'stop':
          isRunning = false;
          return 0;
        case 'status':
          return isRunning ? 0 : 3;
        default:
          return 2;
      }
    });
  });

  it.each([
    ['stop', [0]],
    ['start', [0]],
    ['start start', [0, 0]],
    ['start status', [0, 0]],
    ['status', [1]],
    ['start stop stop status', [0, 0, 0, 1]],
    ['monitor', [1]],
    ['validate-all', [0]],
  ])('%s', (actions, statuses) => {
    expect(actions.split(' ').map((action) => runAgent('script', action, attributes).status)).toEqual(statuses);
  });

  it('says what it runs, and what came out if it failed', () => {
    runAgent('script', 'status', attributes);
    expect(machine.events).toEqual([
      `info rgmanager: [script] Executing ${FILE} status`,
      `run ${FILE} status`,
      `err rgmanager: [script] script:web: status of ${FILE} failed (returned 3)`,
    ]);
  });

  it('lets the script see the name of its service', () => {
    let seen: string | undefined;
    machine.programs.set(FILE, function* (_argv, os) {
      seen = os.environment.OCF_RESKEY_service_name;
      return 0;
    });
    runAgent('script', 'start', { ...attributes, service_name: 'my_service_group' });
    expect(seen).toBe('my_service_group');
  });

  it.each([
    ['no file', { name: 'web' }, 2],
    ['a file that no node has', { name: 'web', file: '/etc/init.d/none' }, 5],
  ])('%s: exit code for every action', (_name, wrong, status) => {
    for (const action of ['start', 'stop', 'status']) expect(runAgent('script', action, wrong).status).toBe(status);
  });
});

describe('apache', () => {
  const attributes = {
    name: 'my_apache',
    server_root: '/etc/httpd',
    config_file: 'conf/httpd.conf',
    service_name: 'my_service_group',
  };
  const CONF = '/etc/cluster/apache/apache:my_apache/httpd.conf';
  const PID = '/var/run/cluster/apache/apache:my_apache.pid';
  const HTTPD = '/usr/sbin/httpd';
  const httpds = (): readonly string[] => machine.processes.map(({ argv }) => argv.join(' '));

  beforeEach(() => {
    machine.file(
      '/etc/httpd/conf/httpd.conf',
      'ServerRoot "/etc/httpd"\nPidFile run/httpd.pid\nListen 80\nListen 8080\n',
    );
    machine.programs.set(HTTPD, httpd(0.35e9));
    machine.call = (daemon, request) => {
      expect([daemon, request]).toEqual(['rgmanager', { kind: 'service-addresses', service: 'my_service_group' }]);
      return { kind: 'addresses', addresses: ['10.156.76.58', '10.156.76.59/22'] };
    };
  });

  it('starts httpd with a configuration of its own, and waits for its pid file', () => {
    const { status, seconds } = runAgent('apache', 'start', attributes);
    expect([status, seconds]).toEqual([0, 0.4]);
    expect(httpds()).toEqual([`${HTTPD} -Dmy_apache -d /etc/httpd -f ${CONF} -k start`]);
    expect(logged('info')).toEqual(['info [apache] Starting Service apache:my_apache']);
    expect(logged('err')).toEqual([
      `err [apache] Checking Existence Of File ${PID} [apache:my_apache] > Failed`,
      'err [apache] Monitoring Service apache:my_apache > Service Is Not Running',
    ]);
    expect(
      machine
        .text(CONF)!
        .split('\n')
        .filter((line) => line !== '' && !/^#( |$)/.test(line)),
    ).toEqual([
      'Listen 10.156.76.58:80',
      'Listen 10.156.76.59:80',
      'Listen 10.156.76.58:8080',
      'Listen 10.156.76.59:8080',
      `PidFile "${PID}"`,
      'ServerRoot "/etc/httpd"',
      '### PidFile run/httpd.pid',
      '### Listen 80',
      '### Listen 8080',
    ]);
  });

  it('starts at once where it runs', () => {
    runAgent('apache', 'start', attributes);
    expect(runAgent('apache', 'start', attributes)).toMatchObject({ status: 0, seconds: 0 });
    expect(done()).toEqual([]);
    expect(httpds()).toHaveLength(1);
  });

  it('hands its options on to httpd', () => {
    runAgent('apache', 'start', { ...attributes, httpd_options: '-DSSL  -X' });
    expect(httpds()[0]).toContain(`-f ${CONF} -DSSL -X -k start`);
  });

  it('stops within a second, and a second stop is fine', () => {
    runAgent('apache', 'start', attributes);
    expect(runAgent('apache', 'stop', attributes)).toMatchObject({ status: 0, seconds: 1 });
    expect(done()).toEqual([`kill -15 ${HTTPD}`, `remove ${PID}`]);
    expect(logged('info')).toEqual([
      'info [apache] Stopping Service apache:my_apache',
      'info [apache] Stopping Service apache:my_apache > Succeed',
    ]);
    expect(httpds()).toEqual([]);
    expect(runAgent('apache', 'stop', attributes)).toMatchObject({ status: 0, seconds: 0 });
    expect(runAgent('apache', 'status', attributes).status).toBe(7);
  });

  it.each([
    [undefined, 21],
    ['5', 6],
    ['0', 1],
  ])('gives up on an httpd that does not stop: shutdown_wait %s, %i s', (wait, seconds) => {
    machine.stubborn.add(HTTPD);
    runAgent('apache', 'start', attributes);
    const stopped = runAgent('apache', 'stop', { ...attributes, ...(wait !== undefined && { shutdown_wait: wait }) });
    expect(stopped).toMatchObject({ status: 1, seconds });
    expect(logged('err')).toEqual([
      'err [apache] Stopping Service apache:my_apache > Failed - Application Is Still Running',
      'err [apache] Stopping Service apache:my_apache > Failed',
    ]);
  });

  it.each<[string, () => void, number]>([
    ['running', () => {}, 0],
    ['killed', () => machine.kill(machine.processes[0]!.pid, 9), 1],
    ['without pid file', () => machine.files.delete(PID), 7],
    ['with an empty pid file', () => machine.file(PID, ''), 1],
  ])('status of an httpd %s, at both depths', (_name, arrange, status) => {
    runAgent('apache', 'start', attributes);
    arrange();
    expect([0, 10].map((depth) => runAgent('apache', 'status', attributes, depth).status)).toEqual([status, status]);
  });

  it.each([
    ['99', 'PID Does Not Exist'],
    ['', 'Zero length'],
  ])('starts in spite of the pid file of an httpd that was killed: %j', (content, reason) => {
    machine.file(PID, content);
    expect(runAgent('apache', 'start', attributes).status).toBe(0);
    expect(logged('debug')).toContain(`debug [apache] PID File "${PID}" Was Removed - ${reason}`);
    expect(runAgent('apache', 'status', attributes).status).toBe(0);
  });

  it('makes its configuration anew at every start, unless somebody has edited it', () => {
    runAgent('apache', 'start', attributes);
    runAgent('apache', 'stop', attributes);
    machine.call = () => ({ kind: 'addresses', addresses: ['10.156.76.60'] });
    runAgent('apache', 'start', attributes);
    expect(machine.text(CONF)).toContain('Listen 10.156.76.60:80\n');
    expect(isEdited(machine.text(CONF)!)).toBe(false);
    runAgent('apache', 'stop', attributes);
    const edited = machine.text(CONF)!.replace(':80\n', ':81\n');
    expect(isEdited(edited)).toBe(true);
    machine.file(CONF, edited);
    runAgent('apache', 'start', attributes);
    expect(machine.text(CONF)).toBe(edited);
  });

  it.each<[string, () => void, string]>([
    [
      'without addresses',
      () => {
        machine.call = () => ({ kind: 'addresses', addresses: [] });
      },
      'Looking For IP Addresses [apache:my_apache] > Failed - No IP Addresses Found',
    ],
    [
      'without rgmanager',
      () => {
        machine.call = () => 'ECONNREFUSED';
      },
      'Looking For IP Addresses [apache:my_apache] > Failed - No IP Addresses Found',
    ],
    [
      'when httpd does not run',
      () => {
        machine.programs.set(HTTPD, function* () {
          return 1;
        });
      },
      'Starting Service apache:my_apache > Failed',
    ],
    [
      'when httpd ends before it has written its pid file',
      () => {
        machine.programs.set(HTTPD, function* (_argv, os) {
          yield* os.sleep(1e9);
          return 1;
        });
      },
      'Starting Service apache:my_apache > Failed',
    ],
    ['without httpd', () => machine.programs.delete(HTTPD), 'Starting Service apache:my_apache > Failed'],
    [
      'when the configuration cannot be written',
      () => machine.failures.set(CONF, 'ENOSPC'),
      `Generating New Config File ${CONF} From /etc/httpd/conf/httpd.conf [apache:my_apache] > Failed`,
    ],
  ])('start %s fails', (_name, arrange, text) => {
    arrange();
    expect(runAgent('apache', 'start', attributes).status).toBe(1);
    expect(logged('err').at(-1)).toBe(`err [apache] ${text}`);
    expect(httpds()).toEqual([]);
  });

  it.each([
    [{ name: '' }, 'Verifying Configuration Of apache: > Failed - Invalid Name Of Service'],
    [{ service_name: '' }, 'Service apache:my_apache Is Not A Child Of A Service'],
    [{ server_root: '' }, 'Verifying Configuration Of apache:my_apache > Failed - Invalid ServerRoot'],
    [{ server_root: '/opt' }, 'Verifying Configuration Of apache:my_apache > Failed - ServerRoot Directory Is Missing'],
    [{ config_file: '' }, 'Checking Existence Of File  [apache:my_apache] > Failed - Invalid Argument'],
    [
      { config_file: '/etc/none.conf' },
      'Checking Existence Of File /etc/none.conf [apache:my_apache] > Failed - File Is Not Readable',
    ],
  ])('%j is refused with 2, and its status is told all the same', (wrong, text) => {
    for (const action of ['validate-all', 'start', 'stop']) {
      expect(runAgent('apache', action, { ...attributes, ...wrong }).status).toBe(2);
      expect(logged('err')).toEqual([`err [apache] ${text}`]);
    }
    expect(runAgent('apache', 'status', { ...attributes, ...wrong }).status).toBe(7);
  });

  it('restarts', () => {
    runAgent('apache', 'start', attributes);
    expect(runAgent('apache', 'restart', attributes).status).toBe(0);
    expect(machine.processes).toHaveLength(1);
  });

  it.each([
    ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['a'.repeat(55), 'c1c8bbdc22796e28c0e15163d20899b65621d65a'],
    ['a'.repeat(56), 'c2db330f6083854c99d4b5bfb6e8f29f201be699'],
    ['a'.repeat(64), '0098ba824b5c16427bd7a1122a5a442a25ec644d'],
    ['a'.repeat(1000), '291e9a6c66994949b57ba5e650361e98fc36b1ba'],
  ])('SHA-1 of %j', (text, digest) => {
    expect(sha1(utf8Bytes(text))).toBe(digest);
  });
});

/** Writes its pid file after a while, as its configuration says, and serves for ever. */
function httpd(delay: number): Program {
  return function* (argv, os) {
    const conf = yield* os.readFile(argv[argv.indexOf('-f') + 1]!);
    if (isErrno(conf)) return 1;
    const pidFile = /^PidFile "(.*)"$/m.exec(utf8Text(conf))![1]!;
    yield* os.sleep(delay);
    yield* os.writeFile(pidFile, utf8Bytes(`${os.pid}\n`));
    for (;;) yield* os.sleep(3600e9);
  };
}

describe.each([
  ['clusterfs', 'gfs2', { force_unmount: '1' }],
  ['fs', 'ext4', {}],
] as const)('%s', (type, fstype, unmounting) => {
  const attributes = {
    name: 'data',
    device: '/dev/mapper/my--vg1-my--store1',
    mountpoint: '/mydata',
    fstype,
    ...unmounting,
  };
  const { device, mountpoint } = attributes;
  const start = (more: Attributes = {}): Ending => runAgent(type, 'start', { ...attributes, ...more });
  const stop = (more: Attributes = {}): Ending => runAgent(type, 'stop', { ...attributes, ...more });
  const status = (depth: number, more: Attributes = {}): number =>
    runAgent(type, 'status', { ...attributes, ...more }, depth).status;

  beforeEach(() => machine.makeDirectories('/mydata/x'));

  it('mounts with type and options, and is started then', () => {
    expect(status(0)).toBe(7);
    expect(start({ options: 'noatime,acl' })).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.mounts).toEqual([{ device, directory: mountpoint, type: fstype, options: 'noatime,acl' }]);
    expect(logged('info')).toEqual([`info [${type}] mounting ${device} on /mydata`]);
    expect(start()).toMatchObject({ status: 0, seconds: 0 });
    expect(done()).toEqual([]);
    expect(status(0)).toBe(0);
  });

  it('makes the mount point if there is none', () => {
    expect(start({ mountpoint: '/srv/www/data/' }).status).toBe(0);
    expect(machine.mounts[0]?.directory).toBe('/srv/www/data');
    expect(logged('err')).toEqual([
      `err [${type}] start_filesystem: Creating mount point /srv/www/data for device ${device}`,
    ]);
  });

  it('tries three times, 3 s apart', () => {
    machine.failures.set(device, 'EBUSY');
    expect(start()).toMatchObject({ status: 1, seconds: 9 });
    const command = `mount -t ${fstype} ${device} /mydata`;
    expect(done()).toEqual(Array(3).fill(`run ${command}`));
    expect(logged('err')).toEqual(Array(3).fill(`err [${type}] '${command}' failed, error=32`));
  });

  it('knows both names of a logical volume', () => {
    start();
    expect(status(0, { device: '/dev/my-vg1/my-store1' })).toBe(0);
    expect(status(0, { device: '/dev/my-vg1/my-store2' })).toBe(7);
  });

  it('takes a device that is mounted elsewhere for started, with a warning', () => {
    machine.mounts.push({ device, directory: '/mnt', type: fstype, options: '' });
    expect(start().status).toBe(0);
    expect(logged('warning')).toEqual([`warning [${type}] Device ${device} is mounted on /mnt instead of /mydata`]);
  });

  it.each<[string, Attributes, (() => void) | undefined, number]>([
    ['no mount point: nothing to do', { mountpoint: '' }, undefined, 0],
    ['a relative mount point', { mountpoint: 'mydata' }, undefined, 2],
    ['no device', { device: '' }, undefined, 2],
    ['a file as mount point', { mountpoint: '/mydata/a' }, () => machine.file('/mydata/a', ''), 2],
    ['a mount point that is taken', {}, () => machine.mounts.push({ ...other, directory: '/mydata' }), 2],
    ['a mount point that cannot be made', { mountpoint: '/srv' }, () => machine.failures.set('/srv', 'EROFS'), 1],
  ])('start with %s', (_name, more, arrange, exit) => {
    arrange?.();
    expect(start(more)).toMatchObject({ status: exit, seconds: exit === 0 ? 0 : 9 });
    expect(machine.mounts.some((mounted) => mounted.device === device)).toBe(false);
  });

  it('stops, and a second stop is fine', () => {
    start();
    expect(stop()).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.mounts).toEqual([]);
    expect(stop()).toMatchObject({ status: 0, seconds: 0 });
    expect(logged('info')).toEqual([`info [${type}] ${device} is not mounted`]);
    expect(status(0)).toBe(7);
  });

  it.each([
    ['no mount point: nothing to do', { mountpoint: ' ' }, 0],
    ['a relative mount point', { mountpoint: 'mydata' }, 2],
    ['no device', { device: '' }, 5],
  ])('stop with %s', (_name, more, exit) => {
    expect(stop(more).status).toBe(exit);
  });

  it.each([
    ['0', undefined],
    ['yes', ['run fuser -k -TERM -m /mydata', 'run fuser -k -KILL -m /mydata', 'run fuser -k -KILL -m /mydata']],
  ])('tries to unmount three times, 5 s apart; force_unmount %s', (force, kills = []) => {
    if (type === 'clusterfs' && force === '0') return;
    start();
    machine.failures.set('umount /mydata', 'EBUSY');
    expect(stop({ force_unmount: force })).toMatchObject({ status: 1, seconds: 10 });
    expect(done().filter((event) => event.startsWith('run fuser'))).toEqual(kills);
    expect(done().filter((event) => event === 'run umount /mydata')).toHaveLength(3);
    expect(logged('err', 'alert')).toEqual([`err [${type}] 'umount /mydata' failed, error=1`]);
  });

  it('resets the machine if it cannot unmount and self_fence is set', () => {
    start();
    machine.failures.set('umount /mydata', 'EBUSY');
    stop({ self_fence: 'on' });
    expect(logged('alert')).toEqual([`alert [${type}] umount failed - REBOOTING`]);
    expect(done().at(-1)).toBe('halt reboot');
  });

  const FILE = '/mydata/.writable_test.my-vm1';
  it.each<[number, string, Attributes, (() => void) | undefined, number, readonly string[]]>([
    [0, 'is content with the mount', {}, () => machine.failures.set('/mydata', 'EIO'), 0, []],
    [10, 'reads the directory', {}, undefined, 0, []],
    [10, 'fails if it cannot be read', {}, () => machine.failures.set('/mydata', 'EIO'), 1, []],
    [20, 'writes and removes a file', {}, undefined, 0, [`write ${FILE}`, `remove ${FILE}`]],
    [20, 'fails if it cannot write', {}, () => machine.failures.set(FILE, 'EROFS'), 1, []],
    [20, 'does not write if mounted read-only', { options: 'noatime,ro' }, undefined, 0, []],
    [20, 'with quick_status is content with the mount', { quick_status: '1' }, undefined, 0, []],
    [0, 'fails if the mount point is gone', {}, () => machine.files.delete('/mydata'), 1, []],
    [0, 'without a device', { device: '' }, undefined, 7, []],
  ])('status at depth %i %s', (depth, _name, more, arrange, exit, events) => {
    start();
    arrange?.();
    expect(status(depth, more)).toBe(exit);
    expect(done()).toEqual(events);
    if (exit === 1) expect(logged('err').at(-1)).toBe(`err [${type}] fs:data: Mount point is not accessible!`);
  });

  it.each([
    [{}, 0, undefined],
    [{ fstype: '' }, 0, undefined],
    [{ mountpoint: '/later' }, 0, undefined],
    [{ name: '' }, 2, 'No file system name specified.'],
    [{ fstype: 'nfs' }, 2, 'File system type nfs not supported'],
    [{ device: '' }, 2, 'No device or label specified.'],
    [{ mountpoint: '' }, 2, 'No mount point specified.'],
    [{ mountpoint: '/mydata/a' }, 2, '/mydata/a exists but is not a directory.'],
  ])('validate-all of %j is %i', (more, exit, text) => {
    machine.file('/mydata/a', '');
    expect(runAgent(type, 'validate-all', { ...attributes, ...more }).status).toBe(exit);
    expect(logged('err')).toEqual(text === undefined ? [] : [`err [${type}] ${text}`]);
  });

  const other = { device: '/dev/sdz1', directory: '', type: 'ext3', options: '' };
});

describe('clusterfs alone', () => {
  const attributes = { name: 'data', device: '/dev/sdb1', mountpoint: '/mydata', fstype: 'gfs2' };

  it.each([
    ['no', '0', true, 'Not umounting /dev/sdb1 (clustered file system)'],
    ['1', '2', true, 'Not unmounting clusterfs:data - still in use by 2 other service(s)'],
    ['1', '0', false, undefined],
  ])('stop with force_unmount %s and %s other users leaves it mounted: %s', (force, references, stays, text) => {
    machine.makeDirectories('/mydata/x');
    runAgent('clusterfs', 'start', attributes);
    const more = { force_unmount: force, RGMANAGER_meta_refcnt: references };
    expect(runAgent('clusterfs', 'stop', { ...attributes, ...more }).status).toBe(0);
    expect(machine.mounts).toHaveLength(stays ? 1 : 0);
    if (text !== undefined) expect(logged('debug')).toEqual([`debug [clusterfs] ${text}`]);
  });
});

describe('fs alone', () => {
  const attributes = { name: 'data', device: '/dev/sdb1', mountpoint: '/mydata' };
  const LOG = '/var/log/cluster/sdb1.fsck.log';

  beforeEach(() => {
    machine.makeDirectories('/mydata/x');
    machine.makeDirectories('/var/log/x');
  });

  it.each<[string, Attributes, number | undefined, number, boolean, readonly string[]]>([
    ['a file system with a journal', { fstype: 'ext3' }, 0, 0, false, []],
    ['a file system with a journal, forced', { fstype: 'ext3', force_fsck: '1' }, 0, 0, true, []],
    ['a file system without a journal', { fstype: 'ext2' }, 1, 0, true, []],
    ['a file system of no name', {}, 0, 0, true, []],
    [
      'a file system it does not know',
      { fstype: 'gfs2' },
      0,
      0,
      true,
      ["Unknown file system type 'gfs2' for device /dev/sdb1.  Assuming fsck is required."],
    ],
    ['a file system that is broken', { fstype: 'ext2' }, 4, 1, true, []],
    ['a machine without fsck', { fstype: 'ext2' }, undefined, 0, true, []],
  ])('start of %s', (_name, more, fsckStatus, exit, isChecked, warnings) => {
    if (fsckStatus !== undefined) {
      machine.programs.set('fsck', function* (_argv, os) {
        os.print('Inode 7 is broken.\n');
        return fsckStatus;
      });
    }
    expect(runAgent('fs', 'start', { ...attributes, ...more }).status).toBe(exit);
    expect(done().includes('run fsck -p /dev/sdb1')).toBe(isChecked);
    expect(machine.mounts).toHaveLength(exit === 0 ? 1 : 0);
    expect(logged('warning')).toEqual(warnings.map((text) => `warning [fs] ${text}`));
    expect(machine.text(LOG)).toBe(exit === 0 ? undefined : 'Inode 7 is broken.\n'.repeat(3));
    if (exit !== 0) {
      expect(logged('err')[0]).toBe(`err [fs] 'fsck -p /dev/sdb1' failed, error=4; check ${LOG} for errors`);
    }
  });
});
