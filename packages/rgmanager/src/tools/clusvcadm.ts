import type { ProgramResult } from '@quorate/kernel';
import type { RgReply, RgRequest, ServiceOperation } from '../io.js';
import { Result, resultText } from '../state/result.js';
import { getopt } from './getopt.js';
import { qualifiedName, RGMANAGER_VERSION } from './service-name.js';

export type ClusvcadmCommand =
  | {
      readonly kind: 'operate';
      readonly operation: ServiceOperation;
      /** `type:name`. */
      readonly service: string;
      /** As the user wrote it. */
      readonly member: string | undefined;
      readonly isDomainStart: boolean;
      /** It prints nothing (`-q`). */
      readonly isQuiet: boolean;
    }
  | { readonly kind: 'lock' | 'unlock' | 'query-lock'; readonly isQuiet: boolean }
  /** `member` as the user wrote it. */
  | { readonly kind: 'standby' | 'unstandby'; readonly member: string; readonly isQuiet: boolean }
  /** There is nothing to ask: help, version, or a wrong command line. */
  | { readonly kind: 'end'; readonly result: ProgramResult };

/** A node that clusvcadm can name. */
export interface ClusvcadmMember {
  readonly id: number;
  readonly name: string;
  readonly isOnline: boolean;
}

/** What to print, and then what to ask rgmanager. */
export type ClusvcadmStep =
  | { readonly kind: 'ask'; readonly output: string; readonly request: RgRequest }
  | { readonly kind: 'end'; readonly result: ProgramResult };

interface Verb {
  readonly operation: ServiceOperation;
  readonly text: string;
}

const VERBS: ReadonlyMap<string, Verb> = new Map([
  ['e', { operation: 'enable', text: 'trying to enable' }],
  ['d', { operation: 'disable', text: 'disabling' }],
  ['s', { operation: 'stop', text: 'stopping' }],
  ['R', { operation: 'restart', text: 'trying to restart' }],
  ['r', { operation: 'relocate', text: 'trying to relocate' }],
  ['M', { operation: 'migrate', text: 'trying to migrate' }],
  ['Z', { operation: 'freeze', text: 'freezing' }],
  ['U', { operation: 'unfreeze', text: 'unfreezing' }],
  ['c', { operation: 'convalesce', text: 'convalescing' }],
]);

const LOCKS = { l: 'lock', u: 'unlock', S: 'query-lock' } as const;

/** Beyond the original, whose options the help has. */
const STANDBY = { b: 'standby', B: 'unstandby' } as const;

const USAGE = `usage: clusvcadm <command>
    -e <service> [-m <member>]  enable: start it here, or on <member>
    -e <service> -F             enable: start it where its failover domain wants it
    -d <service>                disable: stop it until it is enabled again
    -s <service>                stop it until a member comes or goes
    -R <service>                restart it where it is
    -r <service> [-m <member>]  relocate: stop it, and start it on another member
    -M <service> -m <member>    migrate: move it while it runs
    -Z <service>                freeze: leave it alone
    -U <service>                unfreeze
    -c <service>                convalesce: start again what was given up
    -l, -u, -S                  keep services from being started; let them start; show which
    -q                          print nothing
    -v                          show the version
`;

function end(status: number, output: string, errors = ''): { readonly kind: 'end'; readonly result: ProgramResult } {
  return { kind: 'end', result: { status, output, errors } };
}

/**
 * Reads clusvcadm's command line; `argv[0]` is its name. The last command counts, but locks and standby are at once.
 *
 * Differs from rgmanager: the help is in other words.
 *
 * Source: rgmanager src/utils/clusvcadm.c, `main`.
 */
export function parseClusvcadm(argv: readonly string[]): ClusvcadmCommand {
  let operation: ServiceOperation | undefined;
  let service = '';
  let member: string | undefined;
  let isDomainStart = false;
  let isQuiet = false;
  for (const { letter, value } of getopt(argv.slice(1), 'lSue:d:r:n:m:M:vR:s:Z:U:c:qFhb:B:')) {
    if (letter === 'b' || letter === 'B') return { kind: STANDBY[letter], member: value, isQuiet };
    if (letter === 'l' || letter === 'u' || letter === 'S') return { kind: LOCKS[letter], isQuiet };
    if (letter === 'v') return end(0, isQuiet ? '' : `${RGMANAGER_VERSION}\n`);
    if (letter === 'h') return end(1, isQuiet ? '' : USAGE);
    if (letter === '?') return end(1, isQuiet ? '' : USAGE, `clusvcadm: ${value}\n`);
    if (letter === 'q') isQuiet = true;
    else if (letter === 'F') isDomainStart = true;
    else if (letter === 'm' || letter === 'n') member = value;
    else {
      operation = VERBS.get(letter)!.operation;
      service = qualifiedName(value);
    }
  }
  if (isDomainStart && member !== undefined) return end(1, '', "Cannot use '-F' with '-n' or '-m'\n");
  if (operation === undefined) return end(1, isQuiet ? '' : USAGE);
  return { kind: 'operate', operation, service, member, isDomainStart, isQuiet };
}

/** What clusvcadm does with a command line, given the nodes that cman knows. */
export function prepareClusvcadm(command: ClusvcadmCommand, members: readonly ClusvcadmMember[]): ClusvcadmStep {
  if (command.kind === 'end') return command;
  if (command.kind === 'standby' || command.kind === 'unstandby') return prepareStandby(command, members);
  if (command.kind !== 'operate') return { kind: 'ask', output: '', request: { kind: command.kind } };
  const { operation, service, member: wanted, isDomainStart, isQuiet } = command;
  const { target, output } = wanted === undefined ? NOBODY : findMember(wanted, members);
  const printed = isQuiet ? '' : output;
  if (wanted !== undefined && target === undefined) return end(1, printed);
  if (operation === 'migrate') {
    if (target === undefined) return end(1, '', 'Migration requires a target cluster member\n');
    if (!target.isOnline) return end(1, isQuiet ? '' : `${output}'${target.name}' is offline\n`);
  }
  const announced = isQuiet ? '' : `${output}${announcement(operation, service, target)}`;
  const request: RgRequest = {
    kind: operation,
    service,
    ...(target !== undefined && { target: target.id }),
    ...(isDomainStart && { isDomainStart }),
  };
  return { kind: 'ask', output: announced, request };
}

/** Unlike other commands these take no name that is only close to a member's: all services of that one would move. */
function prepareStandby(
  { kind, member, isQuiet }: Extract<ClusvcadmCommand, { readonly kind: 'standby' | 'unstandby' }>,
  members: readonly ClusvcadmMember[],
): ClusvcadmStep {
  const { target, output } = findMember(member, members);
  if (target === undefined || output !== '') return end(1, isQuiet ? '' : output);
  const announced = `Member ${target.name} ${kind === 'standby' ? 'going into' : 'coming back from'} standby...`;
  return { kind: 'ask', output: isQuiet ? '' : announced, request: { kind, node: target.id } };
}

const NOBODY: Found = { target: undefined, output: '' };

interface Found {
  readonly target: ClusvcadmMember | undefined;
  readonly output: string;
}

/** The node of that name; else the only one of those that have most of its beginning in common with it. */
function findMember(name: string, members: readonly ClusvcadmMember[]): Found {
  const exact = members.find((member) => member.name === name);
  if (exact !== undefined) return { target: exact, output: '' };
  const missing = `'${name}' not in membership list\n`;
  const longest = Math.max(0, ...members.map((member) => commonLength(member.name, name)));
  if (longest === 0) return { target: undefined, output: `${missing}No matches for '${name}' found\n` };
  const [closest, ...others] = members.filter((member) => commonLength(member.name, name) === longest);
  if (others.length > 0) {
    return { target: undefined, output: `${missing}More than one possible match for '${name}' found\n` };
  }
  return { target: closest, output: `${missing}Closest match: '${closest!.name}'\n` };
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

function announcement(operation: ServiceOperation, service: string, target: ClusvcadmMember | undefined): string {
  if (operation === 'relocate' || operation === 'migrate') {
    return `Trying to relocate ${service}${target === undefined ? '' : ` to ${target.name}`}...`;
  }
  const who = target === undefined ? 'Local machine' : `Member ${target.name}`;
  const verb = [...VERBS.values()].find((each) => each.operation === operation)!;
  return `${who} ${verb.text} ${service}...`;
}

/** What clusvcadm says to rgmanager's answer, behind what it printed before. */
export function finishClusvcadm(
  command: ClusvcadmCommand,
  request: RgRequest,
  reply: RgReply,
  members: readonly ClusvcadmMember[],
): ProgramResult {
  if (command.kind === 'end') return command.result;
  const result = answer(command, request, reply, members);
  return command.isQuiet ? { ...result, output: '' } : result;
}

function answer(
  command: Exclude<ClusvcadmCommand, { readonly kind: 'end' }>,
  request: RgRequest,
  reply: RgReply,
  members: readonly ClusvcadmMember[],
): ProgramResult {
  switch (command.kind) {
    case 'operate':
      return operationResult(command.operation, request, reply, members);
    case 'standby':
    case 'unstandby':
      return operationResult(undefined, request, reply, members);
    default:
      return lockResult(command.kind, reply);
  }
}

/** `operation`: undefined if it was about a node. */
function operationResult(
  operation: ServiceOperation | undefined,
  request: RgRequest,
  reply: RgReply,
  members: readonly ClusvcadmMember[],
): ProgramResult {
  if (reply.kind !== 'result') {
    return { status: 1, output: '', errors: 'Could not connect to resource group manager\n' };
  }
  const { code, owner } = reply;
  const status = code === Result.RUN ? 0 : code & 0xff;
  const isPlaced = code === Result.SUCCESS && (operation === 'enable' || operation === 'relocate');
  const placed = isPlaced ? placement(request, owner, members) : '';
  return { status, output: `${resultText(code)}\n${placed}`, errors: '' };
}

function placement(request: RgRequest, owner: number, members: readonly ClusvcadmMember[]): string {
  if (!('service' in request) || request.kind === 'service-addresses') return '';
  const { service, target = 0 } = request;
  const warning = target !== 0 && target !== owner ? 'Warning: ' : '';
  // A node that cman does not know has no name: the C library prints it like that.
  const name = members.find(({ id }) => id === owner)?.name ?? '(null)';
  return `${warning}${service} is now running on ${name}\n`;
}

function lockResult(kind: 'lock' | 'unlock' | 'query-lock', reply: RgReply): ProgramResult {
  if (reply.kind === 'unreachable') {
    const output = `Could not connect to resource group manager\n${LOCK_FAILURES[kind]}`;
    return { status: 1, output, errors: '' };
  }
  const isLocked = reply.kind === 'lock-state' ? reply.isLocked : kind === 'lock';
  const isDone = reply.kind === 'lock-state' || (reply.kind === 'result' && reply.code === Result.SUCCESS);
  if (!isDone) return { status: 1, output: LOCK_FAILURES[kind], errors: '' };
  return { status: 0, output: `Resource groups ${isLocked ? 'locked' : 'unlocked'}\n`, errors: '' };
}

const LOCK_FAILURES = {
  lock: 'Lock operation failed\n',
  unlock: 'Unlock operation failed\n',
  'query-lock': 'Query operation failed\n',
} as const;
