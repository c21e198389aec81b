import { isErrno, type Nanos, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { hasInitiator } from '../programs/iscsiadm/record-store.js';
import { TEST_DIRECTORY } from '../programs/watchdog.js';
import { isTurnedOff } from './chkconfig.js';
import { failureIn } from './failure.js';

/**
 * The services of the stack in the order of their start; they stop in the reverse. Disks of other machines come first, where
 * iscsi-initiator-utils is installed; the watchdog is one of them where there is something for it to run,
 * ricci where it was turned on.
 */
function* services(os: Os): Task<readonly string[]> {
  const disks = (yield* hasInitiator(os)) ? ['iscsi'] : [];
  const tests = yield* os.list(TEST_DIRECTORY);
  const watchdog = !isErrno(tests) && tests.length > 0 ? ['watchdog'] : [];
  const ricci = (yield* isTurnedOff(os, 'ricci')) ? [] : ['ricci'];
  return [...disks, 'cman', 'clvmd', 'gfs2', ...watchdog, 'sshd', 'rgmanager', ...ricci];
}

/** What somebody has started by hand is stopped, too. */
function* stopAll(os: Os): Task {
  for (const service of [...(yield* services(os))].reverse()) yield* os.run([`/etc/init.d/${service}`, 'stop']);
}

/**
 * What init runs at boot: first disks get their partitions, then every service that is enabled starts, one after the other.
 *
 * A service that fails to start is logged and the next one is tried, as the rc script does.
 */
export const rc: Program = function* (_argv, os) {
  yield* os.run(['/sbin/start_udev']);
  for (const service of yield* services(os)) {
    if (yield* isTurnedOff(os, service)) continue;
    const { status, output } = yield* os.run([`/etc/init.d/${service}`, 'start']);
    if (status !== 0) os.log('err', 'rc', `${service} did not start: ${failureIn(output)}`);
  }
  os.log('info', 'rc', 'runlevel 3 reached');
  return 0;
};

const SIGTERM = 15;

/** upstart ends what is left of the boot: its script, and the commands that it waits for. */
function endBoot(os: Os): void {
  const end = (pid: number): void => {
    const children = os.processes().filter(({ parent }) => parent === pid);
    os.kill(pid, SIGTERM);
    for (const child of children) end(child.pid);
  };
  for (const { pid, argv } of os.processes()) if (argv[0] === '/etc/rc.d/rc') end(pid);
}

/** How long the halt script gives what is left between TERM and KILL. */
const TERM_TO_KILL: Nanos = 5 * SECOND;

/** `shutdown -h|-r now`, `poweroff`, `reboot`: stops the services in order, then the machine. */
function halting(how: 'poweroff' | 'reboot'): Program {
  return function* (_argv, os) {
    os.log('notice', 'init', `Switching to runlevel: ${how === 'poweroff' ? 0 : 6}`);
    endBoot(os);
    yield* stopAll(os);
    yield* os.sleep(TERM_TO_KILL);
    os.halt(how);
    return 0;
  };
}

export const poweroff: Program = halting('poweroff');
export const reboot: Program = halting('reboot');

export const shutdown: Program = function* (argv, os) {
  const when = argv.find((word) => word === 'now' || word === '0' || word === '+0');
  if (when === undefined) {
    os.printError('shutdown: time expected: only "now" is served here\n');
    return 1;
  }
  const isReboot = argv.includes('-r');
  if (!isReboot && !argv.includes('-h')) {
    os.printError('shutdown: expected -h (halt) or -r (reboot)\n');
    return 1;
  }
  return yield* (isReboot ? reboot : poweroff)(argv, os);
};

/** `service NAME start|stop|status|restart …`: runs the script of that name. */
export const service: Program = function* (argv, os) {
  const [, name = '', ...words] = argv;
  const { status, output, errors } = yield* os.run([`/etc/init.d/${name}`, ...words]);
  if (status === 127) {
    os.printError(`${name}: unrecognized service\n`);
    return 1;
  }
  os.print(output);
  os.printError(errors);
  return status;
};
