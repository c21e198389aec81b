import { getopt } from '../options.js';
import type { JoinOverrides } from './cman-call.js';
import { usage } from './cman-tool-usage.js';

const OPERATIONS = [
  'join',
  'leave',
  'expected',
  'votes',
  'kill',
  'version',
  'wait',
  'status',
  'nodes',
  'services',
  'debug',
] as const;

export type CmanToolOperation = (typeof OPERATIONS)[number];

/** What the command line of `cman_tool` asks for. */
export interface CmanToolOptions {
  readonly operation: CmanToolOperation;
  /** `-n`, as often as it stands there. */
  readonly nodeNames: readonly string[];
  readonly overrides: JoinOverrides;
  /** `-v`; 0 if absent. */
  readonly votes: number;
  /** `-e`; 0 if absent. */
  readonly expectedVotes: number;
  /** `leave remove`. */
  readonly isRemoved: boolean;
  /** `leave force`. */
  readonly isForced: boolean;
  /** `-w`. */
  readonly isWaiting: boolean;
  /** `-q`. */
  readonly isWaitingForQuorum: boolean;
  /** `-t`; 0: for ever. */
  readonly timeoutSec: number;
  /** `-a`. */
  readonly isAddressShown: boolean;
  /** `-F`. */
  readonly columns: readonly string[] | undefined;
  /** `version -r`. */
  readonly isReload: boolean;
  /** `-S`: the file is distributed already. */
  readonly isSynced: boolean;
  /** `-D`: what to do when the file is not valid; `-D` alone is `none`. */
  readonly validation: 'fail' | 'warn' | 'none';
  /** `-d`. */
  readonly isVerbose: boolean;
  /** What to complain about first. */
  readonly warnings: readonly string[];
}

/** What ends the program before it does anything. */
export interface Ending {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

const OPTION_STRING = 'm:n:v:e:2p:c:i:N:t:o:k:F:C:VAPwfqazh?XD::Sd::r::';

/** Bytes of a cluster's name with its NUL, and of a node's. */
const CLUSTER_NAME_MAX = 16;
const NODE_NAME_MAX = 65;
const NODES_MAX = 10;
const COLUMNS_MAX = 10;
const NODE_ID_MAX = 4096;
const PORT_MAX = 65_535;

const VERSION_GIVEN = 'Warning: specifying a version for the -r flag is deprecated and no longer used\n';

/** `die`: the text behind the program's name on standard error, and exit status 1. */
export function died(text: string): Ending {
  return { status: 1, output: '', errors: `cman_tool: ${text}\n` };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Draft extends Mutable<Omit<CmanToolOptions, 'operation' | 'overrides' | 'nodeNames' | 'warnings'>> {
  operation: CmanToolOperation | undefined;
  readonly overrides: Mutable<JoinOverrides>;
  readonly nodeNames: string[];
  readonly warnings: string[];
  isHelp: boolean;
}

/**
 * Reads the command line of `cman_tool`. Options that concern the process only (`-A`, `-C`, `-k`, `-P`, `-X`, `-z`) do
 * nothing.
 *
 * Source: cluster.git cman/cman_tool/main.c, `decode_arguments` and `check_arguments`.
 */
export function decodeArguments(args: readonly string[]): CmanToolOptions | Ending {
  const draft: Draft = {
    operation: undefined,
    nodeNames: [],
    overrides: {},
    votes: 0,
    expectedVotes: 0,
    isRemoved: false,
    isForced: false,
    isWaiting: false,
    isWaitingForQuorum: false,
    timeoutSec: 0,
    isAddressShown: false,
    columns: undefined,
    isReload: false,
    isSynced: false,
    validation: 'fail',
    isVerbose: false,
    warnings: [],
    isHelp: false,
  };
  const operands: string[] = [];
  for (const each of getopt(args, OPTION_STRING)) {
    if (each.kind === 'operand') {
      operands.push(each.word);
      continue;
    }
    const isUnknown = each.kind === 'error' || each.letter === '?';
    if (isUnknown) return { status: 1, output: '', errors: `${unknownText(each)}Please use '-h' for usage.\n` };
    const ending = takeOption(draft, each.letter, each.value);
    if (ending !== undefined) return ending;
  }
  for (const word of operands) {
    const complaint = takeOperand(draft, word);
    if (complaint !== undefined) return died(complaint);
  }
  const { operation, isHelp, ...rest } = draft;
  if (isHelp) return { status: 0, output: usage(operation), errors: '' };
  if (operation === undefined) return died('no operation specified');
  const complaint = operation === 'join' ? checkArguments(draft) : undefined;
  return complaint === undefined ? { ...rest, operation } : died(complaint);
}

function unknownText(each: { readonly kind: string; readonly text?: string }): string {
  return each.text === undefined ? '' : `cman_tool: ${each.text}\n`;
}

function takeOption(draft: Draft, letter: string, value: string | undefined): Ending | undefined {
  switch (letter) {
    case 'V':
      // When it was built, and whose it is, would not be true of this one.
      return { status: 0, output: 'cman_tool 3.0.12.1\n', errors: '' };
    case 'n':
      if (draft.nodeNames.length >= NODES_MAX) return died(`maximum of ${NODES_MAX} node names allowed`);
      if (value!.length > NODE_NAME_MAX) return died(`maximum node name length is ${NODE_NAME_MAX}`);
      draft.nodeNames.push(value!);
      draft.overrides.nodeName ??= value!;
      return undefined;
    case 'c':
      if (value!.length > NODE_NAME_MAX - 1) return died(`maximum cluster name length is ${CLUSTER_NAME_MAX - 1}`);
      draft.overrides.clusterName = value!;
      return undefined;
    case 'D':
      return takeValidation(draft, value);
    case 'v':
    case 'e':
    case 'p':
    case 'N':
    case 't':
      return takeNumber(draft, letter, value!);
    case 'F':
      draft.columns = value!
        .split(',')
        .filter((column) => column !== '')
        .slice(0, COLUMNS_MAX);
      return undefined;
    case 'm':
      draft.overrides.multicastAddress = value!;
      return undefined;
    case 'r':
      draft.isReload = true;
      if (value !== undefined) draft.warnings.push(VERSION_GIVEN);
      return undefined;
    case 'f':
    case 'i':
      return died(`unknown option: ${letter}`);
    default:
      takeFlag(draft, letter);
      return undefined;
  }
}

function takeFlag(draft: Draft, letter: string): void {
  switch (letter) {
    case '2':
      draft.overrides.isTwoNode = true;
      break;
    case 'a':
      draft.isAddressShown = true;
      break;
    case 'S':
      draft.isSynced = true;
      break;
    case 'h':
      draft.isHelp = true;
      break;
    case 'd':
      draft.isVerbose = true;
      break;
    case 'w':
      draft.isWaiting = true;
      break;
    case 'q':
      draft.isWaitingForQuorum = true;
      break;
  }
}

function takeValidation(draft: Draft, value: string | undefined): Ending | undefined {
  const words = { f: 'fail', w: 'warn', n: 'none' } as const;
  const word = value === undefined ? 'none' : words[value[0]!.toLowerCase() as keyof typeof words];
  if (word === undefined) return died("invalid option to -D, it should be 'force', 'warn' or 'none'\n");
  draft.validation = word;
  return undefined;
}

/** `get_int_arg`. */
function takeNumber(draft: Draft, letter: 'v' | 'e' | 'p' | 'N' | 't', value: string): Ending | undefined {
  if (!/^\s*[+-]?\d+$/.test(value)) return died(`argument to ${letter} (${value}) is not an integer`);
  const number = Number(value);
  if (number < 0) return died(`argument to ${letter} cannot be negative`);
  switch (letter) {
    case 'v':
      draft.votes = draft.overrides.votes = number;
      break;
    case 'e':
      draft.expectedVotes = draft.overrides.expectedVotes = number;
      break;
    case 'p':
      draft.overrides.port = number;
      break;
    case 'N':
      draft.overrides.nodeId = number;
      break;
    case 't':
      draft.timeoutSec = number;
      break;
  }
  return undefined;
}

/** Returns what is wrong with it. Older releases wanted the number of the new version behind `version -r`. */
function takeOperand(draft: Draft, word: string): string | undefined {
  const operation = OPERATIONS.find((each) => each === word);
  if (operation !== undefined) {
    if (draft.operation !== undefined) return "can't specify two operations";
    draft.operation = operation;
  } else if (word === 'remove') draft.isRemoved = true;
  else if (word === 'force') draft.isForced = true;
  else if (draft.isReload && draft.operation === 'version' && /^\d+$/.test(word)) draft.warnings.push(VERSION_GIVEN);
  else return `unknown option ${word}`;
  return undefined;
}

function checkArguments(draft: Draft): string | undefined {
  const { port, nodeId = 0, clusterName = '', isTwoNode = false } = draft.overrides;
  if (isTwoNode && draft.expectedVotes !== 1) {
    return `expected_votes value (${draft.expectedVotes}) invalid in two node mode`;
  }
  if (port !== undefined && !(port > 0 && port <= PORT_MAX)) return `Port must be a number between 1 and ${PORT_MAX}`;
  if (nodeId > NODE_ID_MAX) return `Node id must be between 1 and ${NODE_ID_MAX}`;
  if (clusterName.length > CLUSTER_NAME_MAX) return `Cluster name must be < ${CLUSTER_NAME_MAX} characters long`;
  if (draft.timeoutSec > 0 && !draft.isWaiting && !draft.isWaitingForQuorum) {
    return 'timeout is only appropriate with wait';
  }
  return undefined;
}
