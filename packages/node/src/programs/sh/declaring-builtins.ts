import { parseOptions } from '../options.js';
import type { Builtin, RunningShell, Streams } from './state.js';

/** `NAME`, `NAME=VALUE`, `NAME+=VALUE`, `NAME[SUBSCRIPT]=VALUE`. */
const ASSIGNABLE = /^([A-Za-z_]\w*)(?:\[(.+?)\])?(?:(\+?=)(.*))?$/s;

interface Operand {
  readonly name: string;
  readonly subscript: string | undefined;
  readonly isAppended: boolean;
  readonly value: string | undefined;
}

/** Acts on each operand; 1 when one is none, which is complained about. */
function forEach(
  command: string,
  operands: readonly string[],
  shell: RunningShell,
  streams: Streams,
  act: (operand: Operand) => void,
): number {
  let status = 0;
  for (const operand of operands) {
    const [, name, subscript, sign, value] = ASSIGNABLE.exec(operand) ?? [];
    if (name !== undefined) act({ name, subscript, isAppended: sign === '+=', value });
    else {
      streams.printError(`${shell.prefix}: ${command}: \`${operand}': not a valid identifier\n`);
      status = 1;
    }
  }
  return status;
}

function give(shell: RunningShell, { name, subscript, isAppended, value }: Operand): void {
  if (value === undefined) return;
  const before = isAppended ? (shell.state.variables.get(name) ?? '') : '';
  shell.assign(name, before + value, subscript);
}

/** `local [-aA] NAME[=VALUE]…`: variables that are as they were when the function ends. */
export const local: Builtin = function* (argv, shell, streams) {
  if (shell.state.hidden.length > 0) return declared('local', argv.slice(1), shell, streams);
  streams.printError(`${shell.prefix}: local: can only be used in a function\n`);
  return 1;
};

/** `declare [-aAirxpf] [NAME[=VALUE]…]`: local in a function. */
export const declare: Builtin = function* (argv, shell, streams) {
  return declared(argv[0]!, argv.slice(1), shell, streams);
};

export const readonly: Builtin = function* (argv, shell, streams) {
  if (argv.length === 1) return declared('readonly', ['-p', '-r'], shell, streams);
  return forEach('readonly', argv.slice(1), shell, streams, (operand) => {
    give(shell, operand);
    shell.state.variables.protect(operand.name);
  });
};

function declared(command: string, words: readonly string[], shell: RunningShell, streams: Streams): number {
  const { flags, operands, error } = parseOptions(words, { flags: 'aAfFgiprx', values: '' });
  if (error !== undefined) {
    streams.printError(`${shell.prefix}: ${command}: ${error.replace(/^(.*) -- '(.)'$/, '-$2: $1')}\n`);
    return 2;
  }
  const { state } = shell;
  const { variables } = state;
  if (flags.has('p') || operands.length === 0) return list(command, operands, flags, shell, streams);
  const hidden = flags.has('g') ? undefined : state.hidden.at(-1);
  return forEach(command, operands, shell, streams, (operand) => {
    const { name } = operand;
    if (hidden !== undefined && !hidden.has(name)) {
      hidden.set(name, variables.save(name));
      variables.delete(name);
    }
    if (flags.has('a')) variables.declare(name, 'indexed');
    if (flags.has('A')) variables.declare(name, 'associative');
    const isNumber = flags.has('i') && operand.value !== undefined;
    give(shell, isNumber ? { ...operand, value: shell.valueOf(operand.value) } : operand);
    if (flags.has('r')) variables.protect(name);
    if (flags.has('x')) state.exported.add(name);
  });
}

function list(
  command: string,
  operands: readonly string[],
  flags: ReadonlySet<string>,
  shell: RunningShell,
  streams: Streams,
): number {
  const { variables, functions, exported } = shell.state;
  if (flags.has('F') || flags.has('f')) {
    for (const name of [...functions.keys()].sort()) streams.print(`declare -f ${name}\n`);
    return 0;
  }
  let status = 0;
  for (const name of operands.length === 0 ? variables.names() : operands) {
    if (variables.kindOf(name) === undefined) {
      streams.printError(`${shell.prefix}: ${command}: ${name}: not found\n`);
      status = 1;
      continue;
    }
    const isMeant =
      (!flags.has('r') || variables.isReadonly(name)) &&
      (!flags.has('x') || exported.has(name)) &&
      (!flags.has('a') || variables.kindOf(name) === 'indexed') &&
      (!flags.has('A') || variables.kindOf(name) === 'associative');
    if (isMeant) streams.print(declarationOf(shell, name));
  }
  return status;
}

/** A line of `declare -p`. */
function declarationOf(shell: RunningShell, name: string): string {
  const { variables, exported } = shell.state;
  const kind = variables.kindOf(name);
  const letters = [
    kind === 'indexed' ? 'a' : kind === 'associative' ? 'A' : '',
    variables.isReadonly(name) ? 'r' : '',
    exported.has(name) ? 'x' : '',
  ].join('');
  const quoted = (value: string): string => `"${value.replace(/["\\$`]/g, '\\$&')}"`;
  const elements = variables.elements(name).map(([key, value]) => `[${key}]=${quoted(value)}`);
  const value = kind === 'text' ? quoted(variables.get(name) ?? '') : `'(${elements.join(' ')})'`;
  return `declare -${letters || '-'} ${name}=${value}\n`;
}

/** `export [NAME[=VALUE]…]`: what commands get; it is listed without operands. */
export const exportVariables: Builtin = function* (argv, shell, streams) {
  const operands = argv.slice(1).filter((word) => word !== '-p');
  const { state } = shell;
  if (operands[0] === '-n') {
    for (const name of operands.slice(1)) state.exported.delete(name);
    return 0;
  }
  for (const name of operands.length === 0 ? [...state.exported].sort() : []) {
    const value = state.variables.get(name) ?? '';
    streams.print(`declare -x ${name}="${value.replace(/["\\$`]/g, '\\$&')}"\n`);
  }
  return forEach('export', operands, shell, streams, (operand) => {
    state.exported.add(operand.name);
    give(shell, operand);
  });
};

/** `unset [-fv] NAME…`, `unset NAME[SUBSCRIPT]`. */
export const unset: Builtin = function* ([, ...words], shell, streams) {
  const { variables, exported, functions } = shell.state;
  const isFunction = words[0] === '-f';
  if (isFunction || words[0] === '-v') words.shift();
  for (const word of words) {
    const [, name = word, subscript] = /^([A-Za-z_]\w*)\[(.+)\]$/.exec(word) ?? [];
    if (variables.isReadonly(name)) {
      streams.printError(`${shell.prefix}: unset: ${name}: cannot unset: readonly variable\n`);
      return 1;
    }
    if (isFunction || (variables.kindOf(name) === undefined && functions.has(name))) functions.delete(name);
    else if (subscript === undefined || subscript === '@' || subscript === '*') {
      variables.delete(name);
      exported.delete(name);
    } else variables.delete(name, variables.kindOf(name) === 'associative' ? subscript : shell.valueOf(subscript));
  }
  return 0;
};
