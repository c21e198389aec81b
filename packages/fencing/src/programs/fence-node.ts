import { isErrno, type Os, type Program, type Task } from '@quorate/kernel';
import type { FenceConf } from '../fence-conf.js';
import {
  type FenceLog,
  type FenceOperation,
  fenceNode,
  fenceNodeStatus,
  LOG_ENTRIES_MAX,
  logEntryText,
  unfenceNode,
} from '../libfence.js';
import { RELEASE_VERSION } from '../release.js';
import { cmanStatus } from './cman-tool.js';
import { parseCommandLine } from './command-line.js';
import { callFenced } from './fenced-call.js';

const USAGE = `Usage:

fence_node [options] node_name

Options:

  -U       Unfence the node, default local node name
  -S       Run status on node name
  -v       Show fence agent results, -vv for agent args
  -h       Print this help, then exit
  -V       Print program version information, then exit
  -e 0|1   Enable/disable fenced_external notification
  -m <num> Method number, starting from 1

`;

type Action = 'fence' | 'unfence' | 'status';

/**
 * fence_node: fences a node by hand (and tells fenced), unfences it (`-U`), or asks for its status (`-S`).
 *
 * Exit status: 0 success, 1 failure, 2 the configuration has nothing to do it with.
 * Source: cluster.git fence/fence_node/fence_node.c.
 *
 * @param conf what cluster.conf says on that machine.
 */
export function fenceNodeProgram(conf: (os: Os) => FenceConf): Program {
  return function* fence_node(argv, os) {
    const { flags, values, operands, complaint } = parseCommandLine(argv.slice(1), 'UvhVSe:m:', 'hV');
    if (flags.has('h')) {
      os.print(USAGE);
      return 0;
    }
    if (flags.has('V')) {
      os.print(`fence_node ${RELEASE_VERSION}\n`);
      return 0;
    }
    if (complaint !== undefined) {
      os.printError(`fence_node: ${complaint}\nPlease use '-h' for usage.\n`);
      return 1;
    }
    const action: Action = flags.has('S') ? 'status' : flags.has('U') ? 'unfence' : 'fence';
    if (operands.length > 1) return die(os, `unknown option ${operands[1]}`);
    if (operands.length === 0 && !flags.has('U')) return die(os, 'no node name specified');
    const ourName = yield* cmanStatus(os, 'Node name');
    if (ourName === undefined) return die(os, 'cannot connect to cman');
    const victim = operands[0] ?? ourName;
    const outcome = yield* carryOut(os, conf(os), action, victim, Number(values.get('m') ?? 0));
    const verbosity = flags.get('v') ?? (action === 'status' && outcome.result !== 'success' ? 1 : 0);
    printLog(os, action, victim, outcome.log, verbosity);
    return yield* report(os, action, victim, outcome, values.get('e') !== '0');
  };
}

interface Outcome {
  readonly result: 'success' | 'failed' | 'undefined';
  readonly log: readonly FenceLog[];
  readonly isOn?: boolean;
}

function die(os: Os, text: string): number {
  os.printError(`fence_node: ${text}\n`);
  return 1;
}

function* carryOut(os: Os, conf: FenceConf, action: Action, victim: string, method: number): Task<Outcome> {
  switch (action) {
    case 'fence':
      return yield* runAgents(os, fenceNode(conf, victim));
    case 'unfence':
      return yield* runAgents(os, unfenceNode(conf, victim));
    case 'status':
      return yield* runAgents(os, fenceNodeStatus(conf, victim, method));
  }
}

function* runAgents<Result>(os: Os, operation: FenceOperation<Result>): Task<Result> {
  let step = operation.next(0);
  while (step.done !== true) {
    const { agent, input } = step.value;
    const { status } = yield* os.run([agent], { input });
    step = operation.next(status);
  }
  return step.value;
}

function printLog(os: Os, action: Action, victim: string, log: readonly FenceLog[], verbosity: number): void {
  if (verbosity === 0) return;
  if (log.length > LOG_ENTRIES_MAX) os.printError(`${action}_node log overflow ${log.length}`);
  for (const entry of log.slice(0, LOG_ENTRIES_MAX)) {
    os.printError(`${action} ${victim} ${logEntryText(entry)}\n`);
    if (verbosity > 1) os.printError(`agent args: ${entry.input.replaceAll('\n', ' ')}\n`);
  }
}

function* report(os: Os, action: Action, victim: string, outcome: Outcome, tellsFenced: boolean): Task<number> {
  const text = `${action} ${victim} ${resultText(action, outcome)}`;
  os.printError(`${text}\n`);
  if (outcome.result !== 'undefined' || action === 'fence') os.log('err', 'fence_node', text);
  if (outcome.result === 'undefined') return 2;
  if (outcome.result === 'failed') return 1;
  // Should the victim fail now, fenced need not fence it again.
  if (action === 'fence' && tellsFenced) {
    const refused = yield* callFenced(os, { kind: 'external', node: victim });
    if (isErrno(refused)) os.log('err', 'fence_node', `fenced_external ${victim}: ${refused}`);
  }
  return 0;
}

function resultText(action: Action, { result, isOn }: Outcome): string {
  if (action !== 'status') return result;
  if (result === 'success') return isOn === true ? 'success on' : 'success off';
  return result === 'failed' ? 'failed -1' : result;
}
