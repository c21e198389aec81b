import { isErrno, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { fenceDomainText } from '../fence-domain.js';
import { cmanStatus } from './cman-tool.js';
import { parseCommandLine } from './command-line.js';
import { callFenced, fenceDomain } from './fenced-call.js';

const USAGE = `Usage:

fence_tool <ls|join|leave> [options]

Actions:
  ls               List nodes status
  join             Join the default fence domain
  leave            Leave default fence domain

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
  -h               Print this help, then exit

`;

/**
 * fence_tool: shows, joins and leaves the fence domain.
 *
 * Source: cluster.git fence/fence_tool/fence_tool.c, without `dump`.
 */
export const fenceTool: Program = function* fenceTool(argv, os) {
  const { flags, values, operands, complaint } = parseCommandLine(argv.slice(1), 'nt:q:m:w:h');
  if (complaint !== undefined) {
    os.printError(`fence_tool: ${complaint}\nPlease use '-h' for usage.\n`);
    return 1;
  }
  if (flags.has('h')) {
    os.print(USAGE);
    return 0;
  }
  const seconds = (letter: string): number => Number.parseInt(values.get(letter) ?? '0', 10) || 0;
  const odd = operands.find((operand) => !['ls', 'join', 'leave'].includes(operand));
  if (odd !== undefined) return die(os, `unknown option ${odd}`);
  switch (operands.at(-1)) {
    case 'ls':
      return yield* list(os, flags.has('n'));
    case 'join':
      return yield* join(os, seconds);
    case 'leave':
      return yield* leave(os, seconds('w'));
    default:
      return die(os, 'no operation specified');
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

function* join(os: Os, seconds: (letter: string) => number): Task<number> {
  const isThere = yield* delay(os, seconds('t'), 'retrying cman connection', isCmanThere);
  if (!isThere) return die(os, "can't connect to cman");
  if (seconds('q') !== 0 && !(yield* delay(os, seconds('q'), 'delaying for quorum', isQuorate))) {
    os.printError('fence_tool: continuing without quorum\n');
  }
  if (seconds('m') !== 0 && !(yield* delay(os, seconds('m'), 'delaying for members', areAllMembers))) {
    os.printError('fence_tool: continuing without all members\n');
  }
  const refused = yield* callFenced(os, { kind: 'join' });
  if (refused === 'ECONNREFUSED') return die(os, 'fenced not running, no lockfile');
  if (seconds('w') !== 0) yield* waitDomain(os, seconds('w'), 'join');
  return 0;
}

function* leave(os: Os, wait: number): Task<number> {
  if (yield* hasControlledSystems(os)) return die(os, 'cannot leave due to active systems');
  const refused = yield* callFenced(os, { kind: 'leave' });
  if (refused === 'ECONNREFUSED') return die(os, "leave: can't communicate with fenced");
  if (wait !== 0) yield* waitDomain(os, wait, 'leave');
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

function* waitDomain(os: Os, limit: number, action: 'join' | 'leave'): Task {
  const note = `waiting for fenced to ${action} the fence group.`;
  const isDone = yield* delay(os, limit, note, function* (): Task<boolean> {
    const domain = yield* fenceDomain(os);
    const isIn = domain !== undefined && domain.memberCount > 0;
    return isIn === (action === 'join');
  });
  if (!isDone) os.printError(`fence_tool: ${action} not complete\n`);
}

/** Asks once a second, at most `limit` times; 0 asks once, a negative limit asks for ever. */
function* delay(os: Os, limit: number, note: string, isDone: (os: Os) => Task<boolean>): Task<boolean> {
  for (let tries = 1; ; tries++) {
    if (yield* isDone(os)) return true;
    if (limit >= 0 && tries >= limit) return false;
    if (tries % 10 === 0) os.printError(`fence_tool: ${note}\n`);
    yield* os.sleep(SECOND);
  }
}

function* isCmanThere(os: Os): Task<boolean> {
  return (yield* cmanStatus(os, 'Node ID')) !== undefined;
}

function* isQuorate(os: Os): Task<boolean> {
  const quorum = yield* cmanStatus(os, 'Quorum');
  return quorum !== undefined && !quorum.includes('Activity blocked');
}

/** The nodes of cluster.conf, without the quorum device in row 0. */
function* areAllMembers(os: Os): Task<boolean> {
  const { output } = yield* os.run(['cman_tool', 'nodes', '-F', 'id,type']);
  const rows = output.trim().split('\n');
  return rows.every((row) => row.startsWith('0 ') || row.endsWith('M'));
}
