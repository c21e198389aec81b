import { type Program, SECOND } from '@quorate/kernel';
import { persistentReserveOut, ReservationType, ReserveOut } from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import { TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';

const CHECK = '/etc/watchdog.d/fence_scsi_check';

/** A machine whose boot does nothing, with these files. */
function machine(files: Record<string, string> = {}, programs: Record<string, Program> = {}): TestMachine {
  const node = new TestMachine({
    files,
    programs: { ...TEST_PROGRAMS, '/etc/rc.d/rc': TEST_PROGRAMS.echo!, ...programs },
  });
  node.boot();
  return node;
}

/** What another machine does to the disk: it registers key 2 and preempts key 1, as fence_scsi does. */
function preempt(node: TestMachine): void {
  const port = { name: 'iqn.2016-02.example.quorate:beta', isid: '000000000002' };
  node.disk({ kind: 'login', nexus: 9, port });
  const { registerAndIgnoreExistingKey, preemptAndAbort } = ReserveOut;
  const { none, writeExclusiveRegistrantsOnly } = ReservationType;
  const commands = [
    persistentReserveOut(registerAndIgnoreExistingKey, none, 0n, 2n),
    // The first one is answered by the unit attention of the login.
    persistentReserveOut(registerAndIgnoreExistingKey, none, 0n, 2n),
    persistentReserveOut(preemptAndAbort, writeExclusiveRegistrantsOnly, 2n, 1n),
  ];
  for (const [tag, { cdb, data }] of commands.entries()) {
    node.disk({ kind: 'command', nexus: 9, lun: 0, tag, cdb, data });
    node.run(SECOND / 10);
  }
}

describe('a node that is fenced by its storage', () => {
  it('goes on without a watchdog, and is rebooted by one', () => {
    const node = machine({ [CHECK]: '', '/etc/sysconfig/watchdog': 'verbose=yes\n' });
    expect(node.type('fence_scsi -o on -k 1 -d /dev/sda')).toMatchObject({ status: 0 });
    preempt(node);
    node.run(10 * SECOND);
    expect(node.halted).toBeUndefined();
    expect(node.type(`${CHECK} test`)!.status).toBe(2);
    node.type('service watchdog start');
    node.run(SECOND);
    expect(node.halted).toBe('reboot');
    expect(node.log.slice(-3)).toEqual([
      'watchdog: starting daemon: interval 1 s',
      `watchdog: test binary ${CHECK} returned 2`,
      'watchdog: shutting down the system because of error 2',
    ]);
  });

  it('is not mistaken for one that has a disk without a cable', () => {
    const node = machine({ [CHECK]: '' });
    node.type('fence_scsi -o on -k 1 -d /dev/sda');
    node.type('service watchdog start');
    node.hasDiskCable = false;
    node.run(100 * SECOND);
    expect(node.halted).toBeUndefined();
    node.hasDiskCable = true;
    preempt(node);
    node.run(2 * SECOND);
    expect(node.halted).toBe('reboot');
  });

  it('reboots in its repair, under another name', () => {
    const node = machine({ [`${CHECK}_hardreboot`]: '' });
    node.type('fence_scsi -o on -k 1 -d /dev/sda');
    preempt(node);
    node.type('service watchdog start');
    node.run(SECOND);
    expect([node.halted, node.log.at(-1)]).toEqual(['reboot', `watchdog: test binary ${CHECK}_hardreboot returned 2`]);
  });
});

describe('the watchdog', () => {
  it('runs its tests after each interval, and lets be what a test has repaired', () => {
    const calls: string[] = [];
    const node = machine(
      { '/etc/watchdog.d/b': '', '/etc/watchdog.d/a': '', '/etc/watchdog.conf': '# s\ninterval = 10\n' },
      {
        *a([, word = '', error = ''], os) {
          calls.push(`${os.now() / SECOND} a ${word}${error}`);
          return word === 'test' && os.now() > 15 * SECOND ? 5 : 0;
        },
        *b([, word = ''], os) {
          calls.push(`${os.now() / SECOND} b ${word}`);
          return 0;
        },
      },
    );
    node.type('service watchdog start');
    node.run(25 * SECOND);
    expect(calls).toEqual(['0 a test', '0 b test', '10 a test', '10 b test', '20 a test', '20 a repair5', '20 b test']);
    expect(node.halted).toBeUndefined();
  });

  it('takes a test that does not end for one that failed', () => {
    const node = machine(
      { '/etc/watchdog.d/slow': '', '/etc/watchdog.conf': 'test-timeout = 5\n' },
      {
        *slow([, word], os) {
          yield* os.sleep((word === 'test' ? 100 : 1) * SECOND);
          return 3;
        },
      },
    );
    node.type('service watchdog start');
    node.run(5.5 * SECOND);
    expect(node.halted).toBeUndefined();
    node.run(SECOND);
    expect(node.halted).toBe('reboot');
    expect(node.log.slice(-2)).toEqual([
      'watchdog: test binary /etc/watchdog.d/slow returned 137',
      'watchdog: shutting down the system because of error 3',
    ]);
  });

  it('is a service', () => {
    const node = machine();
    const service = (action: string) => node.type(`service watchdog ${action}`)!;
    expect(service('status')).toEqual({ status: 3, output: 'watchdog is stopped\n', errors: '' });
    expect(service('start')).toMatchObject({ status: 0, output: 'Starting watchdog daemon: [  OK  ]\n' });
    expect(service('start').status).toBe(0);
    expect(service('status').output).toMatch(/^watchdog \(pid {2}\d+\) is running\.\.\.\n$/);
    expect(service('stop').status).toBe(0);
    expect(service('stop')).toMatchObject({ status: 1, output: 'Stopping watchdog daemon: [FAILED]\n' });
    expect(service('dance').status).toBe(2);
  });

  it.each([
    ['starts at boot where there is something to run', { [CHECK]: '' }, 0],
    ['does not start where there is not', {}, 3],
  ])('%s', (_, files, status) => {
    const node = new TestMachine({ files, programs: TEST_PROGRAMS });
    node.boot();
    node.runUntilLogged('runlevel 3 reached');
    expect(node.type('service watchdog status')!.status).toBe(status);
    node.type('shutdown -h now');
    expect(node.halted).toBe('poweroff');
  });
});
