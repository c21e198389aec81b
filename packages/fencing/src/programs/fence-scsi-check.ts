import { formatSyslogTime, isErrno, type Os, type Program, type Task, utf8Text } from '@quorate/kernel';
import { decodeKeys, persistentReserveIn, ReserveIn, testUnitReady } from '@quorate/scsi';
import { DEVICE_FILE, KEY_FILE } from './fence-scsi.js';
import { sgStatus } from './sg-status.js';

const CONFIGURATION = '/etc/sysconfig/watchdog';

/**
 * fence_scsi_check: what the watchdog daemon runs from `/etc/watchdog.d`, to learn whether this node was fenced.
 *
 * Fails (2) when the node's key is on none of its devices; everything that is no proof of that is success, a disk that does not
 * answer too. `repair` cannot mend anything, so it gives back the status of the failure, and the watchdog reboots the node; under a
 * name with `hardreboot` in it, it does that itself, at once.
 *
 * Source: fence-agents RHEL6 fence/agents/scsi/fence_scsi_check.pl.
 */
export const fenceScsiCheck: Program = function* fenceScsiCheck(argv, os) {
  const [self = '', action = '', status = ''] = argv;
  if (/^repair$/i.test(action)) {
    if (self.includes('hardreboot')) os.halt('reboot');
    return Number.parseInt(status, 10) & 0xff;
  }
  const debug = (yield* isVerbose(os)) ? say(os, self) : () => {};
  const devices = yield* read(os, DEVICE_FILE, debug, 'exit');
  if (devices === undefined) return 0;
  const key = (yield* read(os, KEY_FILE, debug, 'exist'))?.[0];
  if (key === undefined) return 0;
  for (const device of devices) {
    const keys = yield* registrationKeys(os, device);
    if (keys === undefined) {
      os.printError(`${formatSyslogTime(os.wall().sec)} [${self}] error: sg_persist -n -i -k -d ${device}\n`);
      return 0;
    }
    if (keys.some((each) => each.toLowerCase() === key.toLowerCase())) {
      debug(`key ${key} registered with device ${device}`);
      return 0;
    }
    debug(`key ${key} not registered with device ${device}`);
  }
  debug(`key ${key} not registered with any devices`);
  return 2;
};

function say(os: Os, self: string): (text: string) => void {
  return (text) => os.print(`${formatSyslogTime(os.wall().sec)} [${self}] debug: ${text}\n`);
}

function* isVerbose(os: Os): Task<boolean> {
  const bytes = yield* os.readFile(CONFIGURATION);
  return (
    !isErrno(bytes) &&
    utf8Text(bytes)
      .split('\n')
      .some((line) => /^verbose=yes$/i.test(line))
  );
}

/** Lines of a file; undefined when it is not there or empty, which is said with the original's words. */
function* read(
  os: Os,
  path: string,
  debug: (text: string) => void,
  exist: 'exist' | 'exit',
): Task<readonly string[] | undefined> {
  const bytes = yield* os.readFile(path);
  if (isErrno(bytes)) debug(`${path} does not ${exist}`);
  else if (bytes.length === 0) debug(`${path} is empty`);
  else return utf8Text(bytes).replace(/\n$/, '').split('\n');
  return undefined;
}

/** Undefined when the disk does not say. */
function* registrationKeys(os: Os, device: string): Task<readonly string[] | undefined> {
  yield* os.scsi(device, testUnitReady());
  const reply = yield* os.scsi(device, persistentReserveIn(ReserveIn.readKeys));
  if (isErrno(reply) || sgStatus(reply) !== 0) return undefined;
  return (decodeKeys(reply.data)?.keys ?? []).map((key) => key.toString(16));
}
