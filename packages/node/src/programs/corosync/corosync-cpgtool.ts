import { latin1, type Os, type Program, type Task, utf8Bytes } from '@quorate/kernel';
import type { ProcessInfo } from '@quorate/totem/cpg';
import { getopt } from '../options.js';
import type { CorosyncAnswers, CorosyncCall } from './corosync-call.js';

/** `CS_ERR_LIBRARY`: nobody listens on corosync's socket. */
const CS_ERR_LIBRARY = 2;

const USAGE = `corosync-cpgtool [-d delimiter] [-e] [-n] [-h]

A tool for displaying cpg groups and members.
options:
\t-d\tDelimiter between fields.
\t-e\tDon't escape unprintable characters in group name
\t-n\tDisplay only all existing group names.
\t-h\tDisplay this help.
`;

/** `corosync-cpgtool [-d delimiter] [-e] [-n]`: the process groups and who is in them. Source: corosync 1.4.7, tools. */
export const corosyncCpgtool: Program = function* (argv, os) {
  let delimiter: string | undefined;
  let isNamesOnly = false;
  let isEscaped = true;
  for (const each of getopt(argv.slice(1), 'hd:ne')) {
    if (each.kind === 'error') {
      os.printError(`corosync-cpgtool: ${each.text}\n`);
      return 1;
    }
    if (each.kind !== 'option') continue;
    if (each.letter === 'h') {
      os.print(USAGE);
      return 0;
    }
    if (each.letter === 'd') delimiter = each.value?.[0];
    else if (each.letter === 'n') isNamesOnly = true;
    else isEscaped = false;
  }
  const processes = yield* ask(os, { kind: 'groups' });
  const addresses = yield* ask(os, { kind: 'addresses' });
  if (typeof processes === 'string' || typeof addresses === 'string') {
    os.printError(`Could not initialize corosync cpg API error ${CS_ERR_LIBRARY}\n`);
    return 1;
  }
  const named = processes.map((process) => ({ ...process, group: isEscaped ? escaped(process.group) : process.group }));
  os.print(isNamesOnly ? namesText(named, delimiter) : membersText(named, delimiter, addresses));
  return 0;
};

function ask<Call extends CorosyncCall>(os: Os, call: Call): Task<CorosyncAnswers[Call['kind']]> {
  return os.call('corosync', call) as Task<CorosyncAnswers[Call['kind']]>;
}

/** `fprint_group`. */
function escaped(group: string): string {
  return latin1(utf8Bytes(group))
    .replaceAll('\\', '\\\\')
    .replace(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/**
 * `display_groups`. The order is that of an iteration of names, in which a group whose first process comes later stands
 * before, as it does among the processes.
 */
function namesText(processes: readonly ProcessInfo[], delimiter: string | undefined): string {
  const groups = [...new Set(processes.map(({ group }) => group))];
  const text = groups.map((group) => `${group}${delimiter ?? '\n'}`).join('');
  return delimiter === undefined ? text : `${text}\n`;
}

/** `display_groups_with_members`. */
function membersText(
  processes: readonly ProcessInfo[],
  delimiter: string | undefined,
  addresses: ReadonlyMap<number, string>,
): string {
  const cell = (value: string | number): string => String(value).padStart(10);
  if (delimiter !== undefined) {
    const rows = processes.map(({ group, pid, node }) => [group, pid, node].join(delimiter));
    return [['GRP_NAME', 'PID', 'NODEID'].join(delimiter), ...rows, ''].join('\n');
  }
  const lines = [`Group Name\t${cell('PID')}\t${cell('Node ID')}`];
  processes.forEach(({ group, pid, node }, i) => {
    if (processes[i - 1]?.group !== group) lines.push(group);
    lines.push(`\t\t${cell(pid)}\t${cell(node)} (${addresses.get(node) ?? ''})`);
  });
  return [...lines, ''].join('\n');
}
