import { strerror, type Task } from '@quorate/kernel';
import type { RunningShell, Streams } from './state.js';
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

/** `export [NAME[=VALUE]…]`: what commands get; it is listed without operands. */
const exportVariables: Builtin = function* ([, ...operands], { state }, streams) {
  for (const name of operands.length === 0 ? [...state.exported].sort() : []) {
    streams.print(`declare -x ${name}="${(state.variables.get(name) ?? '').replace(/["\\$`]/g, '\\$&')}"\n`);
  }
  let status = 0;
  for (const operand of operands) {
    const [, name, value] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(operand) ?? [];
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
  [':', constant(0)],
  ['[', test],
  ['break', leave('loop')],
  ['cd', cd],
  ['continue', leave('turn')],
  ['exit', exit],
  ['export', exportVariables],
  ['false', constant(1)],
  ['kill', kill],
  ['logout', exit],
  ['pwd', pwd],
  ['test', test],
  ['true', constant(0)],
  ['unset', unset],
]);
