import { isErrno, strerror, utf8Text } from '@quorate/kernel';
import { formatted } from './printf.js';
import type { Builtin, RunningShell, Streams } from './state.js';
import { holds } from './test-command.js';
import { exportVariables, local, read, set, shift, unset } from './variable-builtins.js';

const SIGNALS = new Map([
  ['HUP', 1],
  ['INT', 2],
  ['QUIT', 3],
  ['KILL', 9],
  ['USR1', 10],
  ['USR2', 12],
  ['TERM', 15],
]);

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
  return statusGiven(name!, given, shell, streams);
};

/** That of the last command where none is given. */
function statusGiven(name: string, given: string | undefined, shell: RunningShell, streams: Streams): number {
  if (given === undefined) return shell.state.status;
  if (/^-?\d+$/.test(given)) return Number(given) & 0xff;
  streams.printError(`-bash: ${name}: ${given}: numeric argument required\n`);
  return 255;
}

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
  return statusGiven('return', given, shell, streams);
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
  try {
    return yield* shell.source(utf8Text(bytes), streams);
  } finally {
    if (args.length > 0) shell.state.positional = positional;
  }
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
