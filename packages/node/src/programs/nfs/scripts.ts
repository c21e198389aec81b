import type { Os, Program } from '@quorate/kernel';

const SIGTERM = 15;

/** A script of several daemons that need nothing but to be started; `title` is how it calls them. */
function daemonsScript(name: string, daemons: readonly (readonly [string, string])[]): Program {
  return function* (argv, os) {
    switch (argv[1]) {
      case 'start':
        for (const [daemon, title] of daemons) {
          if (pidsOf(os, daemon).length === 0) os.spawn([daemon]);
          os.print(`Starting ${title}: [  OK  ]\n`);
        }
        return 0;
      case 'stop':
        for (const [daemon, title] of [...daemons].reverse()) {
          const pids = pidsOf(os, daemon);
          for (const pid of pids) os.kill(pid, SIGTERM);
          os.print(`Shutting down ${title}: ${pids.length === 0 ? '[FAILED]' : '[  OK  ]'}\n`);
        }
        return 0;
      case 'restart':
        yield* os.run([`/etc/init.d/${name}`, 'stop']);
        return (yield* os.run([`/etc/init.d/${name}`, 'start'])).status;
      case 'status': {
        for (const [daemon] of daemons) {
          const pids = pidsOf(os, daemon);
          os.print(pids.length === 0 ? `${daemon} is stopped\n` : `${daemon} (pid ${pids.join(' ')}) is running...\n`);
        }
        return daemons.every(([daemon]) => pidsOf(os, daemon).length > 0) ? 0 : 3;
      }
      default:
        os.printError(`Usage: /etc/init.d/${name} {start|stop|restart|status}\n`);
        return 2;
    }
  };
}

function pidsOf(os: Os, daemon: string): readonly number[] {
  return os
    .processes()
    .filter(({ argv: [name] }) => name === daemon)
    .map(({ pid }) => pid);
}

/** `/etc/init.d/nfs`. */
export const nfsScript: Program = daemonsScript('nfs', [
  ['rpc.mountd', 'NFS mountd'],
  ['nfsd', 'NFS daemon'],
]);

/** `/etc/init.d/nfslock`. */
export const nfslockScript: Program = daemonsScript('nfslock', [['rpc.statd', 'NFS statd']]);
