import type { Program } from '@quorate/kernel';

/** `/etc/init.d/rgmanager start|stop|status`: a stop is answered when its services have ended here. */
export const rgmanagerScript: Program = function* (argv, os) {
  switch (argv[1]) {
    case 'start': {
      os.print('Starting Cluster Service Manager: ');
      const { status, errors } = yield* os.run(['rgmanager']);
      os.print(status === 0 ? '[  OK  ]\n' : `${errors}[FAILED]\n`);
      return status;
    }
    case 'stop': {
      os.print('Stopping Cluster Service Manager: ');
      const { status } = yield* os.run(['killall', 'rgmanager']);
      os.print(status === 0 ? '[  OK  ]\n' : '[FAILED]\n');
      return status;
    }
    case 'status': {
      const pid = os.processes().find(({ argv: words }) => words[0] === 'rgmanager')?.pid;
      os.print(pid === undefined ? 'rgmanager is stopped\n' : `rgmanager (pid  ${pid}) is running...\n`);
      return pid === undefined ? 3 : 0;
    }
    default:
      os.printError('Usage: /etc/init.d/rgmanager {start|stop|status}\n');
      return 2;
  }
};
