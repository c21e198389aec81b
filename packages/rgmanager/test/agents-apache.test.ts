import { isErrno, type Program, utf8Bytes, utf8Text } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { isEdited } from '../src/agents/generated-file.js';
import { sha1 } from '../src/agents/sha1.js';
import { FakeMachine } from './agents-os.js';

let machine: FakeMachine;

beforeEach(() => {
  machine = new FakeMachine();
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
    const { status, seconds } = machine.agent('apache', 'start', attributes);
    expect([status, seconds]).toEqual([0, 0.4]);
    expect(httpds()).toEqual([`${HTTPD} -Dmy_apache -d /etc/httpd -f ${CONF} -k start`]);
    expect(machine.logged('info')).toEqual(['info [apache] Starting Service apache:my_apache']);
    expect(machine.logged('err')).toEqual([
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
    machine.agent('apache', 'start', attributes);
    expect(machine.agent('apache', 'start', attributes)).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.done).toEqual([]);
    expect(httpds()).toHaveLength(1);
  });

  it('hands its options on to httpd', () => {
    machine.agent('apache', 'start', { ...attributes, httpd_options: '-DSSL  -X' });
    expect(httpds()[0]).toContain(`-f ${CONF} -DSSL -X -k start`);
  });

  it('stops within a second, and a second stop is fine', () => {
    machine.agent('apache', 'start', attributes);
    expect(machine.agent('apache', 'stop', attributes)).toMatchObject({ status: 0, seconds: 1 });
    expect(machine.done).toEqual([`kill -15 ${HTTPD}`, `remove ${PID}`]);
    expect(machine.logged('info')).toEqual([
      'info [apache] Stopping Service apache:my_apache',
      'info [apache] Stopping Service apache:my_apache > Succeed',
    ]);
    expect(httpds()).toEqual([]);
    expect(machine.agent('apache', 'stop', attributes)).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.agent('apache', 'status', attributes).status).toBe(7);
  });

  it.each([
    [undefined, 21],
    ['5', 6],
    ['0', 1],
  ])('gives up on an httpd that does not stop: shutdown_wait %s, %i s', (wait, seconds) => {
    machine.stubborn.add(HTTPD);
    machine.agent('apache', 'start', attributes);
    const stopped = machine.agent('apache', 'stop', {
      ...attributes,
      ...(wait !== undefined && { shutdown_wait: wait }),
    });
    expect(stopped).toMatchObject({ status: 1, seconds });
    expect(machine.logged('err')).toEqual([
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
    machine.agent('apache', 'start', attributes);
    arrange();
    expect([0, 10].map((depth) => machine.agent('apache', 'status', attributes, depth).status)).toEqual([
      status,
      status,
    ]);
  });

  it.each([
    ['99', 'PID Does Not Exist'],
    ['', 'Zero length'],
  ])('starts in spite of the pid file of an httpd that was killed: %j', (content, reason) => {
    machine.file(PID, content);
    expect(machine.agent('apache', 'start', attributes).status).toBe(0);
    expect(machine.logged('debug')).toContain(`debug [apache] PID File "${PID}" Was Removed - ${reason}`);
    expect(machine.agent('apache', 'status', attributes).status).toBe(0);
  });

  it('makes its configuration anew at every start, unless somebody has edited it', () => {
    machine.agent('apache', 'start', attributes);
    machine.agent('apache', 'stop', attributes);
    machine.call = () => ({ kind: 'addresses', addresses: ['10.156.76.60'] });
    machine.agent('apache', 'start', attributes);
    expect(machine.text(CONF)).toContain('Listen 10.156.76.60:80\n');
    expect(isEdited(machine.text(CONF)!)).toBe(false);
    machine.agent('apache', 'stop', attributes);
    const edited = machine.text(CONF)!.replace(':80\n', ':81\n');
    expect(isEdited(edited)).toBe(true);
    machine.file(CONF, edited);
    machine.agent('apache', 'start', attributes);
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
    expect(machine.agent('apache', 'start', attributes).status).toBe(1);
    expect(machine.logged('err').at(-1)).toBe(`err [apache] ${text}`);
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
      expect(machine.agent('apache', action, { ...attributes, ...wrong }).status).toBe(2);
      expect(machine.logged('err')).toEqual([`err [apache] ${text}`]);
    }
    expect(machine.agent('apache', 'status', { ...attributes, ...wrong }).status).toBe(7);
  });

  it('restarts', () => {
    machine.agent('apache', 'start', attributes);
    expect(machine.agent('apache', 'restart', attributes).status).toBe(0);
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
