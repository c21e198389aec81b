import type { Program } from '@quorate/kernel';

// What the walk-through types to make a machine of CentOS ready, and what these machines are already: the answers are those of a
// machine on which it has been done before.

/** `yum install PACKAGE…`, `yum groupinstall GROUP…`: all that there is is installed. */
export const yum: Program = function* (argv, os) {
  const [action, ...names] = argv.slice(1).filter((word) => !word.startsWith('-'));
  if (action === 'install') {
    os.print('Setting up Install Process\n');
    for (const name of names) os.print(`Package ${name} already installed and latest version\n`);
    os.print('Nothing to do\n');
    return 0;
  }
  if (action === 'groupinstall') {
    os.print('Setting up Group Process\nNo packages in any requested group available to install or update\n');
    return 0;
  }
  os.printError(
    `yum: ${action === undefined ? 'no command' : action}: only install and groupinstall are served here\n`,
  );
  return 1;
};

/** `passwd [--stdin] USER`: there are no users but root, and nobody is asked for a password. */
export const passwd: Program = function* (argv, os) {
  const user = argv.slice(1).find((word) => !word.startsWith('-')) ?? 'root';
  os.print(`Changing password for user ${user}.\npasswd: all authentication tokens updated successfully.\n`);
  return 0;
};

/** `setenforce 0|1`: there is no SELinux. */
export const setenforce: Program = function* (_argv, os) {
  os.printError('setenforce: SELinux is disabled\n');
  return 1;
};

/** `getenforce`. */
export const getenforce: Program = function* (_argv, os) {
  os.print('Disabled\n');
  return 0;
};

/** The script of a service that a cluster here needs nothing of: cluster.conf is a file that is edited and copied. */
export function unneededService(name: string): Program {
  return function* (argv, os) {
    const action = argv[1];
    if (action === 'status') {
      os.print(`${name} is stopped\n`);
      return 3;
    }
    os.print(`${name} is not needed here: cluster.conf is edited on the nodes, and cman_tool version -r has it read\n`);
    return 0;
  };
}
