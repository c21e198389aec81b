import { type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import type { CmanStatus } from '@quorate/quorum';

/** How a step of an init script ended: undefined when it went well. */
type Step = (os: Os) => Task<string | undefined>;

const OK = '[  OK  ]\n';
const FAILED = '[FAILED]\n';

/** Runs a command as a step: what it complains about is why the step failed. */
function command(...argv: string[]): Step {
  return function* (os) {
    const { status, errors } = yield* os.run(argv);
    return status === 0 ? undefined : errors.trim() || `${argv[0]} exited with ${status}`;
  };
}

function isRunning(os: Os, daemon: string): boolean {
  return os.processes().some(({ argv }) => argv[0] === daemon);
}

/** Ends a daemon, which may ignore that while it is in use. */
function stopDaemon(daemon: string): Step {
  return function* (os) {
    if (!isRunning(os, daemon)) return undefined;
    const refused = yield* command('killall', daemon)(os);
    return refused ?? (isRunning(os, daemon) ? `${daemon} goes on` : undefined);
  };
}

function* leaveFenceDomain(os: Os): Task<string | undefined> {
  return isRunning(os, 'fenced') ? yield* command('fence_tool', 'leave', '-w', '30')(os) : undefined;
}

/** How long the script waits for quorum before it gives up and stops what it has started. */
const QUORUM_WAIT_SEC = 45;

function* waitForQuorum(os: Os): Task<string | undefined> {
  for (let i = 0; i < QUORUM_WAIT_SEC; i++) {
    const status = (yield* os.call('cman', { kind: 'status' })) as CmanStatus | string;
    if (typeof status === 'object' && status.isQuorate) return undefined;
    yield* os.sleep(SECOND);
  }
  return 'Timed-out waiting for cluster';
}

/** qdiskd is started and given up to 20 s until its device shows in `cman_tool status`; it goes on without it. */
function* startQdiskd(os: Os): Task<string | undefined> {
  const started = yield* os.run(['qdiskd']);
  if (started.status !== 0) return started.errors.trim();
  for (let i = 0; i < 10; i++) {
    const { output } = yield* os.run(['cman_tool', 'status']);
    if (output.includes('Quorum device')) return undefined;
    yield* os.sleep(2 * SECOND);
  }
  return undefined;
}

/** 0 and 2 are both well: 2 means that there is nothing to unfence. */
function* unfence(os: Os): Task<string | undefined> {
  const { status, errors } = yield* os.run(['fence_node', '-U']);
  return status === 0 || status === 2 ? undefined : errors.trim() || `fence_node exited with ${status}`;
}

function* join(os: Os): Task<string | undefined> {
  const refused = yield* command('cman_tool', '-t', '60', '-w', 'join')(os);
  if (refused === undefined) yield* os.sleep(2 * SECOND);
  return refused;
}

function startSteps(hasQuorumDisk: boolean): readonly (readonly [string, Step])[] {
  return [
    ['Starting cman', join],
    ...(hasQuorumDisk ? ([['Starting qdiskd', startQdiskd]] as const) : []),
    ['Waiting for quorum', waitForQuorum],
    ['Starting fenced', command('fenced')],
    ['Starting dlm_controld', command('dlm_controld')],
    ['Starting gfs_controld', command('gfs_controld')],
    ['Unfencing self', unfence],
    ['Joining fence domain', command('fence_tool', 'join', '-w', '20')],
  ];
}

/** Daemons end in the reverse of the order in which they started; corosync ends with the cluster. */
const STOP_STEPS: readonly (readonly [string, Step])[] = [
  ['Leaving fence domain', leaveFenceDomain],
  ['Stopping gfs_controld', stopDaemon('gfs_controld')],
  ['Stopping dlm_controld', stopDaemon('dlm_controld')],
  ['Stopping fenced', stopDaemon('fenced')],
  ['Stopping qdiskd', stopDaemon('qdiskd')],
  ['Stopping cman', command('cman_tool', '-t', '60', '-w', 'leave')],
];

function* runSteps(os: Os, steps: readonly (readonly [string, Step])[], mustStop: boolean): Task<boolean> {
  for (const [title, step] of steps) {
    os.print(`   ${`${title}...`.padEnd(56)}`);
    const refused = yield* step(os);
    os.print(refused === undefined ? OK : `${refused}\n${FAILED}`);
    if (refused !== undefined && mustStop) return false;
  }
  return true;
}

/**
 * `/etc/init.d/cman start|stop|status`: joins the cluster and starts its daemons, or the reverse.
 *
 * Unfencing comes after the daemons have seen that the node is clean: a node that was just fenced must not give itself
 * its rights back before its reboot. Source: cluster.git cman/init.d/cman.in.
 */
export function cmanScript(hasQuorumDisk: boolean): Program {
  return function* (argv, os) {
    switch (argv[1]) {
      case 'start': {
        os.print('Starting cluster: \n');
        if (yield* runSteps(os, startSteps(hasQuorumDisk), true)) return 0;
        os.print('Stopping cluster: \n');
        yield* runSteps(os, STOP_STEPS, false);
        return 1;
      }
      case 'stop': {
        os.print('Stopping cluster: \n');
        return (yield* runSteps(os, STOP_STEPS, true)) ? 0 : 1;
      }
      case 'status': {
        const status = (yield* os.call('cman', { kind: 'status' })) as CmanStatus | string;
        os.print(typeof status === 'object' ? 'cluster is running.\n' : 'corosync is stopped\n');
        return typeof status === 'object' ? 0 : 3;
      }
      default:
        os.printError('Usage: /etc/init.d/cman {start|stop|status}\n');
        return 2;
    }
  };
}
