import { isErrno, strerror, utf8Text } from '@quorate/kernel';
import { builtin, command, evaluate, exec, getopts, letValues, type, wait } from './command-builtins.js';
import { declare, exportVariables, local, readonly, unset } from './declaring-builtins.js';
import { formatted } from './printf.js';
import { mapfile, read } from './read-builtins.js';
import { set, shift } from './set-builtin.js';
import { SIGNALS, signalNumber } from './signals.js';
import type { Builtin, RunningShell, Streams } from './state.js';
import { holds } from './test-command.js';
import { trap } from './trap-builtin.js';

/** `cd [DIRECTORY]`: home without one, back with `-`. */
const cd: Builtin = function* ([, given], shell, streams) {
  const { os, state } = shell;
  const back = state.variables.get('OLDPWD');
  if (given === '-' && back === undefined) {
    streams.printError(`${shell.prefix}: cd: OLDPWD not set\n`);
    return 1;
  }
  const target = given === '-' ? back! : (given ?? shell.variable('HOME'));
  const { directory } = os;
  const refused = yield* os.changeDirectory(target);
  if (refused !== undefined) {
    streams.printError(`${shell.prefix}: cd: ${target}: ${strerror(refused)}\n`);
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
  streams.printError(`${shell.prefix}: ${name}: ${given}: numeric argument required\n`);
  return 255;
}

/** `break [N]` and `continue [N]`, of the innermost loop or the Nth around it. */
function leave(what: 'loop' | 'turn'): Builtin {
  return function* ([name, given = '1'], shell, streams) {
    if (!/^\d+$/.test(given) || Number(given) === 0) {
      const reason = /^-?\d+$/.test(given) ? 'loop count out of range' : 'numeric argument required';
      streams.printError(`${shell.prefix}: ${name}: ${given}: ${reason}\n`);
      return 1;
    }
    shell.leaving = what;
    shell.loopsLeft = Number(given);
    return 0;
  };
}

/** `return [STATUS]`: that of the last command unless told. */
const returnFrom: Builtin = function* ([, given], shell, streams) {
  if (shell.state.hidden.length === 0 && !shell.isSourcing) {
    streams.printError(`${shell.prefix}: return: can only \`return' from a function or sourced script\n`);
    return 1;
  }
  shell.leaving = 'function';
  return statusGiven('return', given, shell, streams);
};

/** `. FILE [ARGUMENT…]`, also `source`: does here what it says. */
const source: Builtin = function* ([name, path, ...args], shell, streams) {
  if (path === undefined) {
    streams.printError(`${shell.prefix}: ${name}: filename argument required\n`);
    return 2;
  }
  const bytes = yield* shell.os.readFile(path);
  if (isErrno(bytes)) {
    streams.printError(`${shell.prefix}: ${path}: ${strerror(bytes)}\n`);
    return 1;
  }
  const { positional } = shell.state;
  if (args.length > 0) shell.state.positional = args;
  try {
    return yield* shell.source(utf8Text(bytes), path, streams);
  } finally {
    if (args.length > 0) shell.state.positional = positional;
  }
};

/** `printf [-v NAME] FORMAT [ARGUMENT…]`. */
const printf: Builtin = function* ([, ...words], shell, streams) {
  const name = words[0] === '-v' ? words.splice(0, 2)[1] : undefined;
  if (words[0] === '--') words.shift();
  const [format, ...args] = words;
  if (format === undefined) {
    streams.printError('printf: usage: printf [-v var] format [arguments]\n');
    return 2;
  }
  const { text, complaints } = formatted(format, args);
  if (name === undefined) streams.print(text);
  else shell.assign(name, text);
  for (const complaint of complaints) streams.printError(`${shell.prefix}: printf: ${complaint}\n`);
  return complaints.length > 0 ? 1 : 0;
};

/** `kill [-SIGNAL] PID…`: SIGTERM unless told. */
const kill: Builtin = function* ([, ...words], shell, streams) {
  const { os } = shell;
  const option = words[0]?.startsWith('-') ? words.shift()!.slice(1) : 'TERM';
  if (option === 'l') {
    streams.print(`${[...SIGNALS].map(([name, number]) => `${String(number).padStart(2)}) SIG${name}`).join('\t')}\n`);
    return 0;
  }
  const signal = signalNumber(option);
  if (signal === undefined) {
    streams.printError(`${shell.prefix}: kill: ${option}: invalid signal specification\n`);
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
    streams.printError(`${shell.prefix}: kill: ${reason}\n`);
    status = 1;
  }
  return status;
};

/** `test CONDITION` and `[ CONDITION ]`. */
const test: Builtin = function* ([name, ...words], shell, streams) {
  if (name === '[' && words.pop() !== ']') {
    streams.printError(`${shell.prefix}: [: missing \`]'\n`);
    return 2;
  }
  const found = yield* holds(shell.os, words);
  if (typeof found === 'boolean') return found ? 0 : 1;
  streams.printError(`${shell.prefix}: ${name}: ${found}\n`);
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
  ['builtin', builtin],
  ['cd', cd],
  ['command', command],
  ['continue', leave('turn')],
  ['declare', declare],
  ['eval', evaluate],
  ['exec', exec],
  ['exit', exit],
  ['export', exportVariables],
  ['false', constant(1)],
  ['getopts', getopts],
  ['kill', kill],
  ['let', letValues],
  ['local', local],
  ['logout', exit],
  ['mapfile', mapfile],
  ['printf', printf],
  ['pwd', pwd],
  ['read', read],
  ['readarray', mapfile],
  ['readonly', readonly],
  ['return', returnFrom],
  ['set', set],
  ['shift', shift],
  ['source', source],
  ['test', test],
  ['trap', trap],
  ['true', constant(0)],
  ['type', type],
  ['typeset', declare],
  ['unset', unset],
  ['wait', wait],
]);
