import type { Errno, Program } from '@quorate/kernel';

/** Daemons that `init` starts and stops on a node. */
export const DAEMONS = ['qdiskd', 'fenced', 'dlm_controld', 'gfs_controld', 'clvmd', 'rgmanager'] as const;

export type DaemonName = (typeof DAEMONS)[number];

/** What the node's process 1 answers. */
export type InitCall =
  | { readonly kind: 'start-daemon'; readonly daemon: DaemonName }
  /** Answered when it has ended, or when it is known that it ignores the signal. */
  | { readonly kind: 'stop-daemon'; readonly daemon: DaemonName }
  /** It ends at once and does nothing more. */
  | { readonly kind: 'kill-daemon'; readonly daemon: DaemonName | 'corosync' };

/** The program of a daemon: starts it and returns. */
export function daemonProgram(daemon: DaemonName): Program {
  return function* (_argv, os) {
    const call: InitCall = { kind: 'start-daemon', daemon };
    const refused = (yield* os.call('init', call)) as Errno | string | undefined;
    if (refused === undefined) return 0;
    os.printError(`${daemon}: ${refused}\n`);
    return 1;
  };
}

/** `killall [-9] NAME…`: ends processes by their name, daemons in order, or with `-9` as they stand. */
export const killall: Program = function* (argv, os) {
  let status = 0;
  const isKill = argv.includes('-9') || argv.includes('-KILL');
  for (const name of argv.slice(1).filter((word) => !word.startsWith('-'))) {
    const daemon = DAEMONS.find((each) => each === name);
    if (isKill && (daemon !== undefined || name === 'corosync')) {
      const call: InitCall = { kind: 'kill-daemon', daemon: daemon ?? 'corosync' };
      const refused = (yield* os.call('init', call)) as Errno | undefined;
      if (refused === undefined) continue;
      os.printError(`${name}: no process killed\n`);
      status = 1;
      continue;
    }
    if (daemon !== undefined) {
      const call: InitCall = { kind: 'stop-daemon', daemon };
      yield* os.call('init', call);
      continue;
    }
    const found = os.processes().filter(({ argv: words }) => words[0] === name || words[0]?.endsWith(`/${name}`));
    if (found.length === 0) {
      os.printError(`${name}: no process killed\n`);
      status = 1;
    }
    for (const { pid } of found) os.kill(pid, isKill ? 9 : 15);
  }
  return status;
};
