import { isErrno, strerror, type Task, utf8Text } from '@quorate/kernel';
import { parseOptions } from '../options.js';
import { formatted } from './printf.js';
import type { Input, RunningShell, Streams } from './state.js';
import { holds } from './test-command.js';

/** A command that the shell does itself, as it changes the shell, or needs no process. */
type Builtin = (argv: readonly string[], shell: RunningShell, streams: Streams) => Task<number>;

const SIGNALS = new Map([
  ['HUP', 1],
  ['INT', 2],
  ['QUIT', 3],
  ['KILL', 9],
  ['USR1', 10],
  ['USR2', 12],
  ['TERM', 15],
]);

/** `NAME` or `NAME=VALUE`. */
const ASSIGNABLE = /^([A-Za-z_]\w*)(?:=(.*))?$/s;

/** `cd [DIRECTORY]`: home without one, back with `-`. */
const cd: Builtin = function* ([, given], shell, streams) {
  const { os, state } = shell;
  const back = state.variables.get('OLDPWD');
  if (given === '-' && back === undefined) {
    streams.printError('-bash: cd: OLDPWD not set\n');
    return 1;
  }
  const target = given === '-' ? back! : (given ?? shell.variable('HOME'));
  const { directory } = os;
  const refused = yield* os.changeDirectory(target);
  if (refused !== undefined) {
    streams.printError(`-bash: cd: ${target}: ${strerror(refused)}\n`);
    return 1;
  }
  state.variables.set('OLDPWD', directory);
  if (given === '-') streams.print(`${os.directory}\n`);
  return 0;
};

const pwd: Builtin = function* (_argv, { os }, streams) {
  streams.print(`${os.directory}\n`);
  return 0;
};

/** `exit [STATUS]`: that of the last command unless told. */
const exit: Builtin = function* ([name, given], shell, streams) {
  shell.leaving = 'shell';
  if (given === undefined) return shell.state.status;
  if (/^-?\d+$/.test(given)) return Number(given) & 0xff;
  streams.printError(`-bash: ${name}: ${given}: numeric argument required\n`);
  return 255;
};

/** `break` and `continue`, of the innermost loop. */
function leave(what: 'loop' | 'turn'): Builtin {
  return function* (_argv, shell) {
    shell.leaving = what;
    return 0;
  };
}

/** `return [STATUS]`: that of the last command unless told. */
const returnFrom: Builtin = function* ([, given], shell, streams) {
  if (shell.state.hidden.length === 0 && !shell.isSourcing) {
    streams.printError("-bash: return: can only `return' from a function or sourced script\n");
    return 1;
  }
  shell.leaving = 'function';
  if (given === undefined) return shell.state.status;
  if (/^-?\d+$/.test(given)) return Number(given) & 0xff;
  streams.printError(`-bash: return: ${given}: numeric argument required\n`);
  return 255;
};

/** `. FILE [ARGUMENT…]`, also `source`: does here what it says. */
const source: Builtin = function* ([name, path, ...args], shell, streams) {
  if (path === undefined) {
    streams.printError(`-bash: ${name}: filename argument required\n`);
    return 2;
  }
  const bytes = yield* shell.os.readFile(path);
  if (isErrno(bytes)) {
    streams.printError(`-bash: ${path}: ${strerror(bytes)}\n`);
    return 1;
  }
  const { positional } = shell.state;
  if (args.length > 0) shell.state.positional = args;
  const status = yield* shell.source(utf8Text(bytes), streams);
  if (args.length > 0) shell.state.positional = positional;
  return status;
};

/** `local NAME[=VALUE]…`: variables that are as they were when the function ends. */
const local: Builtin = function* ([, ...operands], { state }, streams) {
  const hidden = state.hidden.at(-1);
  if (hidden === undefined) {
    streams.printError('-bash: local: can only be used in a function\n');
    return 1;
  }
  let status = 0;
  for (const operand of operands) {
    const [, name, value] = ASSIGNABLE.exec(operand) ?? [];
    if (name === undefined) {
      streams.printError(`-bash: local: \`${operand}': not a valid identifier\n`);
      status = 1;
      continue;
    }
    if (!hidden.has(name)) hidden.set(name, state.variables.get(name));
    if (value === undefined) state.variables.delete(name);
    else state.variables.set(name, value);
  }
  return status;
};

/** `shift [N]`: the first arguments are gone. */
const shift: Builtin = function* ([, given = '1'], { state }, streams) {
  if (!/^\d+$/.test(given)) {
    streams.printError(`-bash: shift: ${given}: numeric argument required\n`);
    return 1;
  }
  if (Number(given) > state.positional.length) return 1;
  state.positional = state.positional.slice(Number(given));
  return 0;
};

/** `set -- [ARGUMENT…]`. */
const set: Builtin = function* ([, option, ...args], { state }, streams) {
  if (option === '--') state.positional = args;
  else streams.printError(`-bash: set: ${option ?? 'no options'}: only \`set --' is served here\n`);
  return option === '--' ? 0 : 2;
};

/** `printf FORMAT [ARGUMENT…]`. */
const printf: Builtin = function* ([, ...words], _shell, streams) {
  if (words[0] === '--') words.shift();
  const [format, ...args] = words;
  if (format === undefined) {
    streams.printError('printf: usage: printf [-v var] format [arguments]\n');
    return 2;
  }
  const { text, complaints } = formatted(format, args);
  streams.print(text);
  for (const complaint of complaints) streams.printError(`-bash: printf: ${complaint}\n`);
  return complaints.length > 0 ? 1 : 0;
};

/** `read [-r] [-p PROMPT] [NAME…]`: a line of what comes in, cut at blanks; the last name gets the rest. 1 at its end. */
const read: Builtin = function* (argv, { state }, streams) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'r', values: 'p' });
  if (error !== undefined) {
    streams.printError(`-bash: read: ${error.replace(/^(.*) -- '(.)'$/, '-$2: $1')}\n`);
    return 2;
  }
  const wrong = operands.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (wrong !== undefined) {
    streams.printError(`-bash: read: \`${wrong}': not a valid identifier\n`);
    return 1;
  }
  const { line, isWhole } = takeLine(streams.input, flags.has('r'));
  const names = operands.length === 0 ? ['REPLY'] : operands;
  let rest = operands.length === 0 ? line : line.trim();
  for (const [i, name] of names.entries()) {
    const [field = '', after = ''] = i === names.length - 1 ? [rest] : (/^(\S*)\s*(.*)$/s.exec(rest)?.slice(1) ?? []);
    state.variables.set(name, field);
    rest = after;
  }
  return isWhole ? 0 : 1;
};

/** Without `isRaw` a backslash is gone, and a line that ends in one goes on in the next. */
function takeLine(input: Input, isRaw: boolean): { readonly line: string; readonly isWhole: boolean } {
  let line = '';
  for (;;) {
    const end = input.rest.indexOf('\n');
    const piece = end < 0 ? input.rest : input.rest.slice(0, end);
    input.rest = end < 0 ? '' : input.rest.slice(end + 1);
    if (isRaw) return { line: piece, isWhole: end >= 0 };
    const goesOn = /(^|[^\\])(\\\\)*\\$/.test(piece) && end >= 0;
    line += (goesOn ? piece.slice(0, -1) : piece).replace(/\\(.)/g, '$1');
    if (!goesOn) return { line, isWhole: end >= 0 };
  }
}

/** `export [NAME[=VALUE]…]`: what commands get; it is listed without operands. */
const exportVariables: Builtin = function* ([, ...operands], { state }, streams) {
  for (const name of operands.length === 0 ? [...state.exported].sort() : []) {
    streams.print(`declare -x ${name}="${(state.variables.get(name) ?? '').replace(/["\\$`]/g, '\\$&')}"\n`);
  }
  let status = 0;
  for (const operand of operands) {
    const [, name, value] = ASSIGNABLE.exec(operand) ?? [];
    if (name === undefined) {
      streams.printError(`-bash: export: \`${operand}': not a valid identifier\n`);
      status = 1;
      continue;
    }
    state.exported.add(name);
    if (value !== undefined) state.variables.set(name, value);
  }
  return status;
};

const unset: Builtin = function* ([, ...names], { state }) {
  for (const name of names) {
    state.variables.delete(name);
    state.exported.delete(name);
  }
  return 0;
};

/** `kill [-SIGNAL] PID…`: SIGTERM unless told. */
const kill: Builtin = function* ([, ...words], { os }, streams) {
  const option = words[0]?.startsWith('-') ? words.shift()!.slice(1) : 'TERM';
  const signal = /^\d+$/.test(option) ? Number(option) : SIGNALS.get(option.replace(/^SIG/, ''));
  if (signal === undefined) {
    streams.printError(`-bash: kill: ${option}: invalid signal specification\n`);
    return 1;
  }
  if (words.length === 0) {
    streams.printError('kill: usage: kill [-sigspec] pid ...\n');
    return 2;
  }
  let status = 0;
  for (const word of words) {
    const isPid = /^\d+$/.test(word);
    const refused = isPid ? os.kill(Number(word), signal) : 'EINVAL';
    if (refused === undefined) continue;
    const reason = isPid ? `(${word}) - ${strerror(refused)}` : `${word}: arguments must be process or job IDs`;
    streams.printError(`-bash: kill: ${reason}\n`);
    status = 1;
  }
  return status;
};

/** `test CONDITION` and `[ CONDITION ]`. */
const test: Builtin = function* ([name, ...words], { os }, streams) {
  if (name === '[' && words.pop() !== ']') {
    streams.printError("-bash: [: missing `]'\n");
    return 2;
  }
  const found = yield* holds(os, words);
  if (typeof found === 'boolean') return found ? 0 : 1;
  streams.printError(`-bash: ${name}: ${found}\n`);
  return 2;
};

/** A command that does nothing. */
function constant(status: number): Builtin {
  return function* () {
    return status;
  };
}

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['.', source],
  [':', constant(0)],
  ['[', test],
  ['break', leave('loop')],
  ['cd', cd],
  ['continue', leave('turn')],
  ['exit', exit],
  ['export', exportVariables],
  ['false', constant(1)],
  ['kill', kill],
  ['local', local],
  ['logout', exit],
  ['printf', printf],
  ['pwd', pwd],
  ['read', read],
  ['return', returnFrom],
  ['set', set],
  ['shift', shift],
  ['source', source],
  ['test', test],
  ['true', constant(0)],
  ['unset', unset],
]);
