import type { Program } from '@quorate/kernel';

const SIGTERM = 15;

/** How a script names its daemon. */
interface DaemonScript {
  /** Program of the daemon, and the name of its script: `sshd`. */
  readonly daemon: string;
  /** Behind `Starting` and `Stopping`. */
  readonly label: string;
  /** Before `is stopped`. */
  readonly title: string;
}

/** `/etc/init.d/NAME start|stop|status` of a daemon that needs nothing but to be started. */
export function daemonScript({ daemon, label, title }: DaemonScript): Program {
  return function* (argv, os) {
    const running = os.processes().find(({ argv: [name] }) => name === daemon);
    switch (argv[1]) {
      case 'start':
        if (running === undefined) os.spawn([daemon]);
        os.print(`Starting ${label}: [  OK  ]\n`);
        return 0;
      case 'stop':
        if (running !== undefined) os.kill(running.pid, SIGTERM);
        os.print(`Stopping ${label}: ${running === undefined ? '[FAILED]' : '[  OK  ]'}\n`);
        return running === undefined ? 1 : 0;
      case 'status':
        os.print(running === undefined ? `${title} is stopped\n` : `${title} (pid  ${running.pid}) is running...\n`);
        return running === undefined ? 3 : 0;
      default:
        os.printError(`Usage: /etc/init.d/${daemon.slice(daemon.lastIndexOf('/') + 1)} {start|stop|status}\n`);
        return 2;
    }
  };
}
