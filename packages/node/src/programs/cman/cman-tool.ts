import { type Os, type Program, SECOND, strerror, type Task } from '@quorate/kernel';
import { type CmanNodeStatus, type CmanStatus, formatNodes, formatStatus } from '@quorate/quorum';
import type { CmanAnswers, CmanCall } from './cman-call.js';
import { type CmanToolOptions, decodeArguments, died, type Ending } from './cman-tool-options.js';

/** Where `version -r` finds the program that hands the file to the other nodes. */
const CCS_SYNC = '/usr/bin/ccs_sync';

const NOT_RUNNING = died('Cannot open connection to cman, is it running ?');
const TIMED_OUT: Ending = { status: 2, output: '', errors: 'Timed-out waiting for cluster\n' };

/** How an operation ended: undefined when it went well, and has printed what it had to say. */
type Outcome = Ending | undefined;

/**
 * `cman_tool join|leave|expected|votes|kill|version|wait|status|nodes|services|debug [options]`.
 *
 * Source: cluster.git cman/cman_tool/main.c and join.c, STABLE32.
 */
export const cmanTool: Program = function* (argv, os) {
  const options = decodeArguments(argv.slice(1));
  if ('status' in options) return finish(os, options);
  for (const warning of options.warnings) os.printError(warning);
  return finish(os, yield* run(os, options));
};

function finish(os: Os, ending: Outcome): number {
  if (ending === undefined) return 0;
  os.print(ending.output);
  os.printError(ending.errors);
  return ending.status;
}

function* run(os: Os, options: CmanToolOptions): Task<Outcome> {
  switch (options.operation) {
    case 'join':
      return yield* join(os, options);
    case 'leave':
      return yield* leave(os, options);
    case 'expected':
      return yield* setExpected(os, options);
    case 'votes':
      return yield* setVotes(os, options);
    case 'kill':
      return yield* kill(os, options);
    case 'version':
      return options.isReload ? yield* reload(os, options) : yield* showVersion(os);
    case 'wait':
      return yield* wait(os, options, deadlineOf(os, options));
    case 'status':
      return yield* showStatus(os);
    case 'nodes':
      return yield* showNodes(os, options);
    case 'services':
      yield* system(os, ['group_tool', 'ls']);
      return undefined;
    case 'debug':
      return typeof (yield* ask(os, { kind: 'version' })) === 'string' ? NOT_RUNNING : undefined;
  }
}

function ask<Call extends CmanCall>(os: Os, call: Call): Task<CmanAnswers[Call['kind']]> {
  return os.call('cman', call) as Task<CmanAnswers[Call['kind']]>;
}

/** system(3): runs a program that prints where this one prints. */
function* system(os: Os, argv: readonly string[]): Task<number> {
  const { status, output, errors } = yield* os.run(argv);
  os.print(output);
  os.printError(errors);
  return status;
}

/** `cman_error`. */
function cmanError(errno: string): string {
  if (errno === 'ENOTCONN') return 'Cluster software not started';
  return errno === 'ENOENT' ? 'Node is not yet a cluster member' : strerror(errno);
}

/** What a call that was refused is complained about with. */
function refused(errno: string | undefined, complaint: string): Outcome {
  if (errno === undefined) return undefined;
  return errno === 'ECONNREFUSED' ? NOT_RUNNING : died(`${complaint}: ${cmanError(errno)}`);
}

function deadlineOf(os: Os, { timeoutSec }: CmanToolOptions): number {
  return timeoutSec > 0 ? os.now() + timeoutSec * SECOND : Infinity;
}

// Join, wait, leave

function* join(os: Os, options: CmanToolOptions): Task<Outcome> {
  const until = deadlineOf(os, options);
  const why = yield* ask(os, { kind: 'join', overrides: options.overrides });
  if (why === 'EEXIST') return died('Node is already active');
  if (why !== undefined) {
    os.printError(`${why}\n`);
    return died("corosync daemon didn't start");
  }
  return options.isWaiting || options.isWaitingForQuorum ? yield* wait(os, options, until) : undefined;
}

/**
 * `cluster_wait`: until the node is a member, or with `-q` until the cluster is quorate.
 *
 * Differs from cman, where `-w` waits only until cman answers, and for ever when it has died.
 */
function* wait(os: Os, { isWaitingForQuorum }: CmanToolOptions, until: number): Task<Outcome> {
  for (let hasAnswered = false; ; hasAnswered = true) {
    const status = yield* ask(os, { kind: 'status' });
    if (typeof status === 'string') return hasAnswered ? died('corosync died') : NOT_RUNNING;
    if (status !== undefined && (isWaitingForQuorum ? status.isQuorate : status.state === 'member')) return undefined;
    if (os.now() >= until) return TIMED_OUT;
    yield* os.sleep(SECOND);
  }
}

/** With `-w` a refusal is not told: it waits until cman is gone all the same. */
function* leave(os: Os, options: CmanToolOptions): Task<Outcome> {
  const { isRemoved, isForced, isWaiting } = options;
  const until = isWaiting ? deadlineOf(os, options) : Infinity;
  const errno = yield* ask(os, { kind: 'leave', isRemoved, isForced });
  if (!isWaiting || errno === 'ECONNREFUSED') return refused(errno, 'Error leaving cluster');
  while (errno !== undefined && typeof (yield* ask(os, { kind: 'version' })) !== 'string') {
    if (os.now() >= until) return TIMED_OUT;
    yield* os.sleep(SECOND);
  }
  return undefined;
}

// Votes and kills

function* setExpected(os: Os, { expectedVotes: votes }: CmanToolOptions): Task<Outcome> {
  return refused(yield* ask(os, { kind: 'set-expected', votes }), "can't set expected votes");
}

function* setVotes(os: Os, { nodeNames: [name], votes }: CmanToolOptions): Task<Outcome> {
  const node = name === undefined ? 0 : yield* nodeIdOf(os, name);
  if (node === 'ECONNREFUSED') return NOT_RUNNING;
  if (typeof node === 'string') return died(`Can't set votes for node ${name} : ${strerror(node)}\n`);
  return refused(yield* ask(os, { kind: 'set-votes', votes, node }), "can't set votes");
}

/** Complains about each node that cannot be killed, and ends well whatever comes of it. */
function* kill(os: Os, { nodeNames }: CmanToolOptions): Task<Outcome> {
  if (nodeNames.length === 0) return died('No node name specified\n');
  for (const name of nodeNames) {
    const node = yield* nodeIdOf(os, name);
    if (node === 'ECONNREFUSED') return NOT_RUNNING;
    if (typeof node === 'string') {
      os.printError(`Can't kill node ${name} : ${strerror(node)}\n`);
      continue;
    }
    const errno = yield* ask(os, { kind: 'kill', node });
    if (errno !== undefined) os.printError(`kill node failed: ${strerror(errno)}\n`);
  }
  return undefined;
}

/** The id, or the name of an error. */
function* nodeIdOf(os: Os, name: string): Task<number | string> {
  const nodes = yield* ask(os, { kind: 'nodes' });
  if (typeof nodes === 'string') return nodes;
  return nodes.find((node) => node.name === name && node.nodeId > 0)?.nodeId ?? 'ENOENT';
}

// What is shown

function* showStatus(os: Os): Task<Outcome> {
  const status: CmanStatus | string | undefined = yield* ask(os, { kind: 'status' });
  if (typeof status === 'string') return NOT_RUNNING;
  if (status === undefined) return died(`Error getting extra info: ${cmanError('ENOENT')}\n`);
  os.print(formatStatus(status));
  return undefined;
}

function* showNodes(os: Os, { isAddressShown, nodeNames, columns }: CmanToolOptions): Task<Outcome> {
  const nodes: readonly CmanNodeStatus[] | string = yield* ask(os, { kind: 'nodes' });
  if (typeof nodes === 'string') return refused(nodes, 'cman_get_nodes failed');
  os.print(formatNodes(nodes, { isAddressShown, names: nodeNames, ...(columns !== undefined && { columns }) }));
  return undefined;
}

// The configuration

function* showVersion(os: Os): Task<Outcome> {
  const version = yield* ask(os, { kind: 'version' });
  if (typeof version === 'string') return NOT_RUNNING;
  os.print(`${version.protocol} config ${version.config}\n`);
  return undefined;
}

/** `version -r`: checks the file, has it handed out, and lets cman on this node read it, which tells the others to. */
function* reload(os: Os, { validation, isSynced, isVerbose }: CmanToolOptions): Task<Outcome> {
  const say = (text: string): void => {
    if (isVerbose) os.print(`${text}\n`);
  };
  const version = yield* ask(os, { kind: 'version' });
  if (typeof version === 'string') return NOT_RUNNING;
  say('Getting config variables');
  if (validation !== 'none') {
    say('Validating configuration');
    const complaint = yield* validate(os, version.config, validation === 'fail', isVerbose);
    if (complaint !== undefined) return died(complaint);
  }
  if (!isSynced) {
    say('calling ccs_sync');
    const status = yield* system(os, [CCS_SYNC]);
    const advice = 'If you have distributed the config file yourself, try re-running with -S\n';
    if (status !== 0) return died(`ccs_sync failed.\n${advice}`);
  }
  say('Telling cman the new version number');
  const why = yield* ask(os, { kind: 'set-version' });
  if (why !== undefined) return died('Error loading configuration in corosync/cman');
  say('Configuration succesfully updated or already running');
  return undefined;
}

/** `validate_config`: why the file is not to be read. */
function* validate(os: Os, running: number, mustBeValid: boolean, isVerbose: boolean): Task<string | undefined> {
  const quiet = isVerbose ? [] : ['-q'];
  const status = yield* system(os, ['ccs_config_validate', ...quiet, '-R', String(running)]);
  switch (status) {
    case 0:
      return undefined;
    case 253:
      return 'Unable to retrive the new config version\n';
    case 254:
      return 'Not reloading, config version older or equal the running config';
    case 255:
      return 'Not reloading, generic error running ccs_config_validate\nTry re-running with -d options';
    default:
      return mustBeValid ? 'Not reloading, configuration is not valid' : undefined;
  }
}
