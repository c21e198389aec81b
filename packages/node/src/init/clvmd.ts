import { type Nanos, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import type { Storage } from '../os/storage.js';

const OK = '[  OK  ]\n';
const FAILED = '[FAILED]\n';

/** `CLVMD_STOP_TIMEOUT`: how long the script waits for the daemon's end. */
const STOP_TIMEOUT: Nanos = 30 * SECOND;

/**
 * `/etc/init.d/clvmd start|stop|status`: starts the daemon and activates all volumes on this node; a stop deactivates those of
 * clustered groups, and ends the daemon unless one of them is in use. Source: LVM2 scripts/clvmd_init_red_hat.in.
 */
export function clvmdScript({ mapper }: Pick<Storage, 'mapper'>): Program {
  const clustered = () => [...mapper.active.values()].filter(({ isClustered }) => isClustered);
  return function* (argv, os) {
    switch (argv[1]) {
      case 'start':
        if (!isRunning(os)) {
          const refused = yield* action(os, 'Starting clvmd: ', ['clvmd']);
          if (refused !== 0) return refused;
        }
        return yield* action(os, 'Activating VG(s): ', ['vgchange', '-aly']);
      case 'stop': {
        if (!isRunning(os)) return 0;
        const groups = [...new Set(clustered().map(({ group }) => group))];
        if (groups.length > 0) {
          const refused = yield* action(os, 'Deactivating clustered VG(s): ', ['vgchange', '-aln', ...groups]);
          if (refused !== 0) return refused;
        }
        return yield* end(os);
      }
      case 'status': {
        const pid = os.processes().find(({ argv: words }) => words[0] === 'clvmd')?.pid;
        os.print(pid === undefined ? 'clvmd is stopped\n' : `clvmd (pid  ${pid}) is running...\n`);
        if (pid === undefined) return 3;
        const groups = [...new Set(clustered().map(({ group }) => group))].join(' ');
        const volumes = clustered().map(({ name }) => name);
        os.print(`Clustered Volume Groups: ${groups || '(none)'}\n`);
        os.print(`Active clustered Logical Volumes: ${volumes.join(' ') || '(none)'}\n`);
        return 0;
      }
      default:
        os.printError('Usage: /etc/init.d/clvmd {start|stop|status}\n');
        return 2;
    }
  };
}

function isRunning(os: Os): boolean {
  return os.processes().some(({ argv }) => argv[0] === 'clvmd');
}

/** Runs a command and says what it printed and how it ended. */
function* action(os: Os, title: string, argv: readonly string[]): Task<number> {
  os.print(title);
  const { status, output, errors } = yield* os.run(argv);
  os.print(`${output}${errors}${status === 0 ? OK : FAILED}`);
  return status;
}

function* end(os: Os): Task<number> {
  os.print('Signaling clvmd to exit ');
  yield* os.run(['killall', 'clvmd'], { timeout: STOP_TIMEOUT });
  os.print(OK);
  if (isRunning(os)) {
    os.print(`clvmd failed to exit\n${FAILED}`);
    return 1;
  }
  os.print(`clvmd terminated ${OK}`);
  return 0;
}
