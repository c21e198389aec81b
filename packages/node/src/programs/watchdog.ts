import { isErrno, type Os, type Program, SECOND, type Task, utf8Text } from '@quorate/kernel';

/** Programs that say whether the machine is well. */
export const TEST_DIRECTORY = '/etc/watchdog.d';
const CONFIGURATION = '/etc/watchdog.conf';

/**
 * watchdog: runs the programs of `/etc/watchdog.d` with the word `test`, again and again. When one fails, it runs that one with
 * `repair` and its exit status, and reboots the machine when that fails, too.
 *
 * `/etc/watchdog.conf` may have `interval` (1 s between two rounds) and `test-timeout` (60 s, after which a test has failed).
 *
 * Differs from the original, which has a timer of the hardware beside that, and takes the machine down as a shutdown would: here it
 * stops at once, for file systems that a fenced node has mounted could not be unmounted.
 *
 * Source: watchdog(8), watchdog.conf(5).
 */
export const watchdog: Program = function* (_argv, os) {
  os.log('info', 'watchdog', `starting daemon: interval ${yield* setting(os, 'interval', 1)} s`);
  for (;;) {
    const timeout = (yield* setting(os, 'test-timeout', 60)) * SECOND;
    const names = yield* os.list(TEST_DIRECTORY);
    for (const name of isErrno(names) ? [] : [...names].sort()) {
      const error = yield* failure(os, `${TEST_DIRECTORY}/${name}`, timeout);
      if (error === 0) continue;
      os.log('alert', 'watchdog', `shutting down the system because of error ${error}`);
      os.halt('reboot');
      return 1;
    }
    yield* os.sleep((yield* setting(os, 'interval', 1)) * SECOND);
  }
};

/** Exit status of a test that nothing could repair; 0 when all is well. */
function* failure(os: Os, path: string, timeout: number): Task<number> {
  const { status } = yield* os.run([path, 'test'], { timeout });
  if (status === 0) return 0;
  os.log('err', 'watchdog', `test binary ${path} returned ${status}`);
  return (yield* os.run([path, 'repair', String(status)], { timeout })).status;
}

function* setting(os: Os, name: string, otherwise: number): Task<number> {
  const bytes = yield* os.readFile(CONFIGURATION);
  if (isErrno(bytes)) return otherwise;
  const value = Number(new RegExp(`^\\s*${name}\\s*=\\s*(\\d+)`, 'm').exec(utf8Text(bytes))?.[1]);
  return value >= 1 ? value : otherwise;
}
