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

/** In two-node mode the other node is given 45 s to come before it is a victim. */
function* joinFenceDomain(os: Os): Task<string | undefined> {
  const { output } = yield* os.run(['cman_tool', 'status']);
  const isTwoNode = /^Flags:.* 2node/m.test(output);
  return yield* command('fence_tool', 'join', '-w', '20', ...(isTwoNode ? ['-m', '45'] : []))(os);
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
    ['Joining fence domain', joinFenceDomain],
  ];
}

/** Daemons end in the reverse of the order in which they started; corosync ends with the cluster. */
function stopSteps(isRemoved: boolean): readonly (readonly [string, Step])[] {
  return [
    ['Leaving fence domain', leaveFenceDomain],
    ['Stopping gfs_controld', stopDaemon('gfs_controld')],
    ['Stopping dlm_controld', stopDaemon('dlm_controld')],
    ['Stopping fenced', stopDaemon('fenced')],
    ['Stopping qdiskd', stopDaemon('qdiskd')],
    ['Stopping cman', command('cman_tool', '-t', '60', '-w', 'leave', ...(isRemoved ? ['remove'] : []))],
  ];
}

function* runSteps(os: Os, steps: readonly (readonly [string, Step])[], mustStop: boolean): Task<boolean> {
  for (const [title, step] of steps) {
    os.print(`   ${`${title}...`.padEnd(56)}`);
    const refused = yield* step(os);
    os.print(refused === undefined ? OK : `${refused}\n${FAILED}`);
    if (refused !== undefined && mustStop) return false;
  }
  return true;
}

function* start(os: Os, hasQuorumDisk: boolean): Task<number> {
  os.print('Starting cluster: \n');
  if (yield* runSteps(os, startSteps(hasQuorumDisk), true)) return 0;
  yield* stop(os, false, false);
  return 1;
}

function* stop(os: Os, isRemoved: boolean, mustStop: boolean): Task<number> {
  os.print('Stopping cluster: \n');
  return (yield* runSteps(os, stopSteps(isRemoved), mustStop)) ? 0 : 1;
}

/** The others reckon without this node until it is back. */
function* restart(os: Os, hasQuorumDisk: boolean): Task<number> {
  const status = yield* stop(os, true, true);
  return status === 0 ? yield* start(os, hasQuorumDisk) : status;
}

/** What is missing, in the words of `status`; undefined when the cluster runs. */
function* missing(os: Os, hasQuorumDisk: boolean): Task<string | undefined> {
  if (typeof (yield* os.call('cman', { kind: 'status' })) !== 'object') return 'corosync is stopped';
  const daemons = [...(hasQuorumDisk ? ['qdiskd'] : []), 'fenced', 'dlm_controld'];
  const stopped = daemons.find((daemon) => !isRunning(os, daemon));
  return stopped === undefined ? undefined : `${stopped} is stopped`;
}

const USAGE = 'Usage: /etc/init.d/cman {start|stop|restart|reload|force-reload|condrestart|try-restart|status}\n';

/**
 * `/etc/init.d/cman start|stop [remove]|restart|condrestart|status`: joins the cluster and starts its daemons, or the
 * reverse. Only a restart and `stop remove` let the others reckon without this node.
 *
 * Unfencing comes after the daemons have seen that the node is clean: a node that was just fenced must not give itself
 * its rights back before its reboot. Source: cluster.git cman/init.d/cman.in.
 */
export function cmanScript(hasQuorumDisk: boolean): Program {
  return function* (argv, os) {
    switch (argv[1]) {
      case 'start':
        return yield* start(os, hasQuorumDisk);
      case 'stop':
        return yield* stop(os, argv[2] === 'remove', true);
      case 'restart':
      case 'reload':
      case 'force-reload':
        return yield* restart(os, hasQuorumDisk);
      case 'condrestart':
      case 'try-restart':
        return (yield* missing(os, hasQuorumDisk)) === undefined ? yield* restart(os, hasQuorumDisk) : 0;
      case 'status': {
        const stopped = yield* missing(os, hasQuorumDisk);
        os.print(`${stopped ?? 'cluster is running.'}\n`);
        return stopped === undefined ? 0 : 3;
      }
      default:
        os.print(USAGE);
        return 2;
    }
  };
}
