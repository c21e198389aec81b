import { isErrno, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { fenceDomainText } from '../fence-domain.js';
import { RELEASE_VERSION } from '../release.js';
import { cmanStatus } from './cman-tool.js';
import { parseCommandLine } from './command-line.js';
import { callFenced, fenceDomain } from './fenced-call.js';

const USAGE = `Usage:

fence_tool <ls|join|leave|dump> [options]

Actions:
  ls\t\t   List nodes status
  join             Join the default fence domain
  leave            Leave default fence domain
  dump\t\t   Dump debug buffer from fenced

Options:
  -n               Show all node information in ls
  -t <seconds>     Retry cman connection for <seconds>.
                   Default 0.  0 no retry, -1 indefinite retry.
  -q <seconds>     Delay join up to <seconds> for the cluster to have quorum.
                   Default 0.  0 no delay, -1 indefinite delay.
  -m <seconds>     Delay join up to <seconds> for all nodes in cluster.conf
                   to be cluster members.
                   Default 0.  0 no delay, -1 indefinite delay
  -w <seconds>     Wait up to <seconds> for join or leave result.
                   Default 0.  0 no wait, -1 indefinite wait.
  -V               Print program version information, then exit
  -h               Print this help, then exit

`;

const OPERATIONS = ['ls', 'join', 'leave', 'dump'];

/**
 * fence_tool: shows, joins and leaves the fence domain, and prints what fenced has noted for whoever looks for a mistake.
 *
 * Exit status: 0, or 1 when it was refused; a join or leave that does not come to its end in time is no failure.
 * Source: cluster.git fence/fence_tool/fence_tool.c.
 */
export const fenceTool: Program = function* fenceTool(argv, os) {
  const { flags, values, operands, complaint } = parseCommandLine(argv.slice(1), 'nt:q:m:w:Vh', 'Vh');
  if (flags.has('h')) {
    os.print(USAGE);
    return 0;
  }
  if (flags.has('V')) {
    os.print(`fence_tool ${RELEASE_VERSION}\n`);
    return 0;
  }
  if (complaint !== undefined) {
    os.printError(`fence_tool: ${complaint}\nPlease use '-h' for usage.\n`);
    return 1;
  }
  // These two complaints of the original end with an empty line.
  const odd = operands.find((operand) => !OPERATIONS.includes(operand));
  if (odd !== undefined) return die(os, `unknown option ${odd}\n`);
  const seconds = (letter: string): number => Number.parseInt(values.get(letter) ?? '0', 10) || 0;
  switch (operands.at(-1)) {
    case 'ls':
      return yield* list(os, flags.has('n'));
    case 'join':
      return yield* join(os, seconds);
    case 'leave':
      return yield* leave(os, seconds('w'));
    case 'dump':
      return yield* dump(os);
    default:
      return die(os, 'no operation specified\n');
  }
};

function die(os: Os, text: string): number {
  os.printError(`fence_tool: ${text}\n`);
  return 1;
}

function* list(os: Os, withNodes: boolean): Task<number> {
  const domain = yield* fenceDomain(os);
  if (domain === undefined) return 1;
  os.print(fenceDomainText(domain, withNodes));
  return 0;
}

const NOT_RUNNING = 'fenced not running, no lockfile';

function* join(os: Os, seconds: (letter: string) => number): Task<number> {
  const isThere = yield* delay(os, seconds('t'), 'retrying cman connection', isCmanThere);
  if (isThere !== true) return die(os, "can't connect to cman");
  if (seconds('q') !== 0) {
    const isDone = yield* delay(os, seconds('q'), 'delaying for quorum', isQuorate);
    if (isDone === undefined) return die(os, 'lost cman connection');
    if (!isDone) os.printError('fence_tool: continuing without quorum\n');
  }
  if (seconds('m') !== 0) {
    // It asks once more than for quorum.
    const limit = seconds('m') < 0 ? seconds('m') : seconds('m') + 1;
    const isDone = yield* delay(os, limit, 'delaying for members', areAllMembers);
    if (isDone === undefined) return die(os, 'lost cman connection');
    if (!isDone) os.printError('fence_tool: continuing without all members\n');
  }
  const refused = yield* callFenced(os, { kind: 'join' });
  if (refused === 'ECONNREFUSED') return die(os, NOT_RUNNING);
  return seconds('w') === 0 ? 0 : yield* waitDomain(os, seconds('w'), 'join');
}

function* leave(os: Os, wait: number): Task<number> {
  if (yield* hasControlledSystems(os)) return die(os, 'cannot leave due to active systems');
  const refused = yield* callFenced(os, { kind: 'leave' });
  if (refused === 'ECONNREFUSED') return die(os, "leave: can't communicate with fenced");
  return wait === 0 ? 0 : yield* waitDomain(os, wait, 'leave');
}

function* dump(os: Os): Task<number> {
  const text = yield* callFenced(os, { kind: 'dump' });
  if (text === 'ECONNREFUSED') return die(os, "dump: can't communicate with fenced");
  os.print(text);
  return 0;
}

/** Mounted cluster file systems and lockspaces need the domain: whoever leaves it could not be fenced any more. */
function* hasControlledSystems(os: Os): Task<boolean> {
  let count = 0;
  for (const { type, device, directory } of os.mounts()) {
    if (type !== 'gfs' && type !== 'gfs2') continue;
    os.printError(`found ${type} file system mounted from ${device} on ${directory}\n`);
    count += 1;
  }
  const lockspaces = yield* os.list('/sys/kernel/dlm');
  for (const name of isErrno(lockspaces) ? [] : lockspaces) {
    os.printError(`found dlm lockspace /sys/kernel/dlm/${name}\n`);
    count += 1;
  }
  return count > 0;
}

function* waitDomain(os: Os, limit: number, action: 'join' | 'leave'): Task<number> {
  const note = `waiting for fenced to ${action} the fence group.`;
  const isDone = yield* delay(os, limit, note, function* (): Task<boolean | undefined> {
    const domain = yield* callFenced(os, { kind: 'domain' });
    // Whoever waits for a join of a fenced that is gone would wait in vain.
    if (isErrno(domain)) return action === 'join' ? undefined : true;
    const isIn = domain !== undefined && domain.memberCount > 0;
    return isIn === (action === 'join');
  });
  if (isDone === undefined) return die(os, NOT_RUNNING);
  if (!isDone) os.printError(`fence_tool: ${action} not complete\n`);
  return 0;
}

/**
 * Asks once a second, at most `limit` times; 0 asks once, a negative limit asks for ever. Undefined as soon as nobody
 * answers.
 */
function* delay(
  os: Os,
  limit: number,
  note: string,
  isDone: (os: Os) => Task<boolean | undefined>,
): Task<boolean | undefined> {
  for (let tries = 1; ; tries++) {
    const answer = yield* isDone(os);
    if (answer !== false) return answer;
    if (limit >= 0 && tries >= limit) return false;
    if (tries % 10 === 0) os.printError(`fence_tool: ${note}\n`);
    yield* os.sleep(SECOND);
  }
}

function* isCmanThere(os: Os): Task<boolean> {
  return (yield* cmanStatus(os, 'Node ID')) !== undefined;
}

function* isQuorate(os: Os): Task<boolean | undefined> {
  const quorum = yield* cmanStatus(os, 'Quorum');
  return quorum === undefined ? undefined : !quorum.includes('Activity blocked');
}

/** The nodes of cluster.conf, without the quorum device in row 0. */
function* areAllMembers(os: Os): Task<boolean | undefined> {
  const { status, output } = yield* os.run(['cman_tool', 'nodes', '-F', 'id,type']);
  if (status !== 0) return undefined;
  const rows = output.trim().split('\n');
  return rows.every((row) => row.startsWith('0 ') || row.trimEnd().endsWith('M'));
}
