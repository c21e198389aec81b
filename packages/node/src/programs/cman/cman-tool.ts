import { isErrno, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { type CmanNodeStatus, type CmanStatus, formatNodes, formatStatus } from '@quorate/quorum';
import { parseOptions } from './options.js';

/** What cman answers on its socket. */
export type CmanCall =
  | { readonly kind: 'join' }
  | { readonly kind: 'leave'; readonly isRemoved: boolean; readonly isForced: boolean }
  /** Undefined while the engine has not had its first configuration. */
  | { readonly kind: 'status' }
  | { readonly kind: 'nodes' }
  /** Ids of the members where somebody listens on that port. */
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'kill'; readonly name: string }
  | { readonly kind: 'set-expected'; readonly votes: number };

const NOT_RUNNING = 'cman_tool: Cannot open connection to cman, is it running ?\n';

/** `cman_tool join|leave|status|nodes|version|kill|expected [options]`, as far as init scripts and agents use it. */
export const cmanTool: Program = function* (argv, os) {
  const options = parseOptions(argv.slice(1), { flags: 'waxfdS', values: 'tneFvr' });
  const [operation = ''] = options.operands;
  switch (operation) {
    case 'join':
      return yield* join(os, options.flags.has('w'), options.number('t', 0));
    case 'leave':
      return yield* leave(os, options.operands.slice(1));
    case 'status':
      return yield* showStatus(os);
    case 'nodes':
      return yield* showNodes(os, options.flags.has('a'), options.values.get('n'), options.values.get('F'));
    case 'version':
      return yield* showVersion(os);
    case 'kill':
      return yield* simple(os, { kind: 'kill', name: options.values.get('n') ?? '' }, 'kill node failed');
    case 'expected':
      return yield* simple(os, { kind: 'set-expected', votes: options.number('e', 0) }, "can't set expected votes");
    default:
      os.printError(
        `cman_tool: unknown operation "${operation}", expected join, leave, status, nodes, version, kill or expected\n`,
      );
      return 1;
  }
};

function* ask<Result>(os: Os, call: CmanCall): Task<Result | string | undefined> {
  return (yield* os.call('cman', call)) as Result | string | undefined;
}

function* simple(os: Os, call: CmanCall, complaint: string): Task<number> {
  const refused = yield* ask<undefined>(os, call);
  if (refused === undefined) return 0;
  os.printError(refused === 'ECONNREFUSED' ? NOT_RUNNING : `cman_tool: ${complaint}: ${refused}\n`);
  return 1;
}

function* join(os: Os, mustWait: boolean, timeoutSec: number): Task<number> {
  const refused = yield* ask<undefined>(os, { kind: 'join' });
  if (refused !== undefined) {
    os.printError(
      refused === 'EEXIST' ? 'cman_tool: Node is already active\n' : `cman_tool: corosync died: ${refused}\n`,
    );
    return 1;
  }
  const until = timeoutSec > 0 ? os.now() + timeoutSec * SECOND : Infinity;
  while (mustWait) {
    const status = yield* ask<CmanStatus>(os, { kind: 'status' });
    if (typeof status === 'object' && status.state === 'member') return 0;
    if (typeof status === 'string') {
      os.printError('cman_tool: corosync died\n');
      return 1;
    }
    if (os.now() >= until) {
      os.printError('Timed-out waiting for cluster\n');
      return 2;
    }
    yield* os.sleep(SECOND);
  }
  return 0;
}

function* leave(os: Os, words: readonly string[]): Task<number> {
  const call: CmanCall = { kind: 'leave', isRemoved: words.includes('remove'), isForced: words.includes('force') };
  const refused = yield* ask<undefined>(os, call);
  if (refused === undefined) return 0;
  if (refused === 'ECONNREFUSED') os.printError(NOT_RUNNING);
  else os.printError('cman_tool: Error leaving cluster: Device or resource busy\n');
  return 1;
}

function* showStatus(os: Os): Task<number> {
  const status = yield* ask<CmanStatus>(os, { kind: 'status' });
  if (typeof status !== 'object') {
    os.printError(NOT_RUNNING);
    return 1;
  }
  os.print(formatStatus(status));
  return 0;
}

function* showVersion(os: Os): Task<number> {
  const status = yield* ask<CmanStatus>(os, { kind: 'status' });
  if (typeof status !== 'object') {
    os.printError(NOT_RUNNING);
    return 1;
  }
  os.print(`${status.version} config ${status.configVersion}\n`);
  return 0;
}

function* showNodes(
  os: Os,
  isAddressShown: boolean,
  name: string | undefined,
  columns: string | undefined,
): Task<number> {
  const nodes = yield* ask<readonly CmanNodeStatus[]>(os, { kind: 'nodes' });
  if (typeof nodes !== 'object' || isErrno(nodes)) {
    os.printError(NOT_RUNNING);
    return 1;
  }
  os.print(
    formatNodes(nodes, {
      isAddressShown,
      ...(name !== undefined && { names: [name] }),
      ...(columns !== undefined && { columns: columns.split(',') }),
    }),
  );
  return 0;
}
