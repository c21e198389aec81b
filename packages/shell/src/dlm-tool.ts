import {
  type ClusterViews,
  type ControlledLockspaceView,
  controldHealth,
  healthText,
  type LockspaceView,
  lockdebugText,
  lockdumpText,
  lockspacesText,
  type NodeViews,
  type PlockResourceView,
  plocksText,
  resourcesOf,
  statusText,
  waitingLocks,
  whyNot,
} from '@quorate/dlm';
import { type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { askDaemon, dumpOf } from './control-tools.js';
import { listOrphans, probe, purge } from './lockspace-care.js';
import { RELEASE_VERSION } from './release.js';

const DAEMON = 'dlm_controld';

const USAGE = `Usage:

dlm_tool [options] [deadlock_check | lockdump | lockdebug | ls | dump |
                    plocks | status | health | why | probe | orphans | purge]

Options:
  -n               Show all node information in ls
  -M               Print MSTCPY locks in lockdump
                   (remote locks that are locally mastered)
  -s               Summary following lockdebug output
  -v               Verbose lockdebug output
  -w               Wide lockdebug output
  -j               JSON output of health
  -h               Print this help, then exit
  -V               Print program version information, then exit

`;

/** Operations, and whether they need the name of a lockspace. */
const OPERATIONS: ReadonlyMap<string, boolean> = new Map([
  ['ls', false],
  ['dump', false],
  ['status', false],
  ['health', false],
  ['plocks', true],
  ['deadlock_check', true],
  ['lockdump', true],
  ['lockdebug', true],
  ['why', true],
  ['probe', true],
  ['orphans', true],
  ['purge', true],
]);

/** How long `probe` waits when it is not told. */
const PROBE_SECONDS = 5;

/**
 * `dlm_tool ls|dump|plocks|lockdump|lockdebug|deadlock_check|status`, with the exit codes of the original: what the kernel does not have is a
 * complaint and no failure. `status` is that of dlm 4.
 *
 * The others are ours: `health` ends with 2 when a lockspace waits and with 1 when nobody can be asked; `why LOCKSPACE [LKID]`
 * says why locks of this node are not granted, for which dlm_controld asks those of all other nodes what theirs show;
 * `probe LOCKSPACE [SECONDS]` takes a real lock, and ends with 2 when it is not granted in time; `orphans` and `purge LOCKSPACE` list and
 * unlock what processes of this node have left behind.
 *
 * Source: cluster.git dlm/tool/main.c; dlm dlm_tool/main.c.
 */
export const dlmTool: Program = function* dlmTool(argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'nMsvwjhV', values: '' });
  if (error !== undefined) {
    os.printError(`dlm_tool: ${error}\nPlease use '-h' for usage.\n`);
    return 1;
  }
  if (flags.has('V')) {
    os.print(`dlm_tool ${RELEASE_VERSION}\n`);
    return 0;
  }
  // Operands that are no operation are passed over.
  const at = operands.findIndex((word) => OPERATIONS.has(word));
  const [operation = '', name, ...more] = at < 0 ? [] : operands.slice(at);
  if (flags.has('h') || operation === '') {
    os.print(USAGE);
    return flags.has('h') ? 0 : 1;
  }
  if (name === undefined && OPERATIONS.get(operation) === true) {
    os.printError('lockspace name required\n');
    return 1;
  }
  return yield* perform(os, operation, name ?? '', flags, more);
};

function* perform(
  os: Os,
  operation: string,
  name: string,
  flags: ReadonlySet<string>,
  more: readonly string[],
): Task<number> {
  switch (operation) {
    case 'ls':
      return yield* list(os, name, flags.has('n'));
    case 'dump':
      return yield* dumpOf(os, DAEMON);
    case 'plocks': {
      const locks = yield* askDaemon<readonly PlockResourceView[]>(os, DAEMON, { kind: 'plocks', name });
      if (locks !== 'ECONNREFUSED') os.print(plocksText(locks));
      return 0;
    }
    case 'deadlock_check':
      yield* askDaemon<number>(os, DAEMON, { kind: 'deadlock-check', name });
      return 0;
    case 'lockdump':
      return yield* showLocks(os, name, '_locks', (view) => lockdumpText(view, flags.has('M')));
    case 'lockdebug': {
      const options = { isVerbose: flags.has('v'), isWide: flags.has('w'), isSummarized: flags.has('s') };
      return yield* showLocks(os, name, '', (view) => lockdebugText(view, options));
    }
    case 'status': {
      const views = yield* askViews(os);
      if (views !== undefined) os.print(statusText(views.controld));
      return 0;
    }
    case 'health':
      return yield* health(os, flags.has('j'));
    case 'why':
      return yield* why(os, name, more[0]);
    default:
      return yield* takeCareOf(os, operation, name, Number(more[0] ?? PROBE_SECONDS));
  }
}

function* takeCareOf(os: Os, operation: string, name: string, seconds: number): Task<number> {
  const views = yield* askViews(os);
  const view = views?.dlm.lockspaces.find((ls) => ls.name === name);
  if (view === undefined) {
    os.printError(`dlm_tool: no lockspace ${name}\n`);
    return 1;
  }
  if (operation === 'orphans') return listOrphans(os, view);
  return yield* operation === 'purge' ? purge(os, view) : probe(os, view, seconds * SECOND);
}

function* askViews(os: Os): Task<NodeViews | undefined> {
  const views = yield* askDaemon<NodeViews>(os, DAEMON, { kind: 'views' });
  return views === 'ECONNREFUSED' ? undefined : views;
}

function* list(os: Os, name: string, withNodes: boolean): Task<number> {
  const views = yield* askDaemon<readonly ControlledLockspaceView[]>(os, DAEMON, { kind: 'list' });
  if (views === 'ECONNREFUSED') return 1;
  const asked = views.filter((view) => name === '' || view.name === name);
  if (name !== '' && asked.length === 0) return 1;
  os.print(lockspacesText(asked, withNodes));
  return 0;
}

/** Prints what debugfs has of a lockspace. */
function* showLocks(os: Os, name: string, file: string, textOf: (view: LockspaceView) => string): Task<number> {
  const views = yield* askViews(os);
  const view = views?.dlm.lockspaces.find((ls) => ls.name === name);
  if (view === undefined) os.printError(`can't open /sys/kernel/debug/dlm/${name}${file}: No such file or directory\n`);
  else os.print(textOf(view));
  return 0;
}

function* health(os: Os, isJson: boolean): Task<number> {
  const views = yield* askViews(os);
  if (views === undefined) {
    os.printError('dlm_tool: dlm_controld does not answer\n');
    return 1;
  }
  const found = controldHealth(views.controld);
  os.print(isJson ? `${JSON.stringify(found)}\n` : healthText(found));
  return found.isHealthy ? 0 : 2;
}

function* why(os: Os, lockspace: string, id: string | undefined): Task<number> {
  const views = yield* askViews(os);
  const view = views?.dlm.lockspaces.find(({ name }) => name === lockspace);
  if (views === undefined || view === undefined) {
    os.printError(`dlm_tool: no lockspace ${lockspace}\n`);
    return 1;
  }
  const node = view.nodeid;
  const lkids = id === undefined ? waitingLocks(view) : [Number.parseInt(id, 16)];
  const all = yield* askAllViews(os, lockspace, resourcesOf(view, lkids));
  all.set(node, views);
  for (const lkid of lkids) {
    const [first, ...reasons] = whyNot(all, { lockspace, node, lkid });
    os.print([first, ...reasons.map((reason) => `  ${reason}`)].map((line) => `${line}\n`).join(''));
  }
  return 0;
}

/** Without a daemon that can ask them, the other nodes have not answered. */
function* askAllViews(os: Os, name: string, resources: readonly string[]): Task<Map<number, NodeViews>> {
  const told = yield* askDaemon<ClusterViews>(os, DAEMON, { kind: 'cluster-views', name, resources });
  return new Map(told === 'ECONNREFUSED' ? [] : told);
}
