import type { Os, Program, Task } from '@quorate/kernel';
import { IscsiError } from '../os/iscsi/iscsi-error.js';
import { readRecords } from '../programs/iscsiadm/record-store.js';

const OK = '[  OK  ]\n';
const FAILED = '[FAILED]\n';
const LOCK = '/var/lock/subsys/iscsi';

/** Logs in to the targets that are marked for it; silent when there are none. */
function* start(os: Os): Task<number> {
  const records = yield* readRecords(os);
  if (records.every((record) => record.get('node.startup') !== 'automatic')) return 0;
  os.print('Starting iscsi: ');
  const { errors } = yield* os.run(['iscsiadm', '-m', 'node', '--loginall=automatic']);
  // As in the original a portal that does not answer is complained about, and boot goes on.
  os.print(`${errors}${OK}`);
  yield* os.makeDirectory('/var/lock/subsys');
  yield* os.writeFile(LOCK, new Uint8Array(0));
  return 0;
}

function* stop(os: Os): Task<number> {
  if (!(yield* isStarted(os))) return 0;
  os.print('Stopping iscsi: ');
  const { status, errors } = yield* os.run(['iscsiadm', '-m', 'node', '--logoutall=automatic']);
  const isOver = status === IscsiError.success || status === IscsiError.nothingFound;
  os.print(isOver ? OK : `${errors}${FAILED}`);
  yield* os.remove(LOCK);
  return isOver ? 0 : status;
}

function* isStarted(os: Os): Task<boolean> {
  return typeof (yield* os.stat(LOCK)) !== 'string';
}

/**
 * `/etc/init.d/iscsi start|stop|status`: logs in to the targets whose records say `node.startup = automatic`, and out again.
 *
 * Source: the script of RHEL 6's iscsi-initiator-utils.
 */
export const iscsiScript: Program = function* (argv, os) {
  switch (argv[1]) {
    case 'start':
      return yield* start(os);
    case 'stop':
      return yield* stop(os);
    case 'status': {
      if (!(yield* isStarted(os))) {
        os.print('iscsi is stopped\n');
        return 3;
      }
      const { status, output, errors } = yield* os.run(['iscsiadm', '-m', 'session', '-P', '3']);
      os.print(output);
      os.printError(errors);
      return status === IscsiError.success ? 0 : 2;
    }
    default:
      os.printError('Usage: /etc/init.d/iscsi {start|stop|status}\n');
      return 2;
  }
};
