import { SECOND } from '@quorate/kernel';
import { ExpansionComplaint } from './script.js';
import type { Builtin } from './state.js';

/** How often it is looked whether a process has ended. */
const POLL = SECOND / 100;
const KEYWORDS = '! [[ ]] case do done elif else esac fi for function if in then until while { }'.split(' ');

/** `eval WORD…`: does what they say, joined. */
export const evaluate: Builtin = function* ([, ...words], shell, streams) {
  shell.state.status = 0;
  return yield* shell.evaluate(words.join(' '), streams);
};

/** `exec COMMAND`: runs it in place of the shell. */
export const exec: Builtin = function* ([, ...words], shell, streams) {
  if (words.length === 0) return 0;
  shell.leaving = 'shell';
  return yield* shell.command(words, streams);
};

/** `let EXPRESSION…`: succeeds if the last is not 0. */
export const letValues: Builtin = function* ([, ...expressions], shell, streams) {
  if (expressions.length === 0) {
    streams.printError(`${shell.prefix}: let: expression expected\n`);
    return 1;
  }
  let value = '0';
  try {
    for (const expression of expressions) value = shell.valueOf(expression);
  } catch (error) {
    if (!(error instanceof ExpansionComplaint)) throw error;
    streams.printError(`${shell.prefix}: let: ${error.message}\n`);
    return 1;
  }
  return value === '0' ? 1 : 0;
};

/** `builtin COMMAND`: no function of that name. */
export const builtin: Builtin = function* ([, ...words], shell, streams) {
  if (words.length === 0) return 0;
  if (shell.isBuiltin(words[0]!)) return yield* shell.command(words, streams);
  streams.printError(`${shell.prefix}: builtin: ${words[0]}: not a shell builtin\n`);
  return 1;
};

/** `command [-vV] COMMAND`: no function of that name; or what it is. */
export const command: Builtin = function* ([name, ...words], shell, streams) {
  const option = /^-[vV]$/.test(words[0] ?? '') ? words.shift() : undefined;
  if (words.length === 0) return 0;
  if (option === undefined) return yield* shell.command(words, streams);
  if (option === '-V') return yield* type([name!, ...words], shell, streams);
  let status = 1;
  for (const word of words) {
    const isOwn = KEYWORDS.includes(word) || shell.state.functions.has(word) || shell.isBuiltin(word);
    const path = isOwn ? word : yield* shell.pathOf(word);
    if (path === undefined) continue;
    streams.print(`${path}\n`);
    status = 0;
  }
  return status;
};

/** `type [-t] NAME…`: what each name is as a command. */
export const type: Builtin = function* ([command, ...names], shell, streams) {
  const isShort = names[0] === '-t';
  if (isShort) names.shift();
  let status = 0;
  for (const name of names) {
    const say = (word: string, sentence: string): void =>
      streams.print(`${isShort ? word : `${name} is ${sentence}`}\n`);
    const path = yield* shell.pathOf(name);
    if (KEYWORDS.includes(name)) say('keyword', 'a shell keyword');
    else if (shell.state.functions.has(name)) say('function', 'a function');
    else if (shell.isBuiltin(name)) say('builtin', 'a shell builtin');
    else if (path !== undefined) say('file', path);
    else {
      if (!isShort) streams.printError(`${shell.prefix}: ${command}: ${name}: not found\n`);
      status = 1;
    }
  }
  return status;
};

/** `wait [PID…]`: until they have ended; all of its own unless told. */
export const wait: Builtin = function* ([, ...pids], { os }) {
  const isAwaited = (): boolean =>
    os.processes().some(({ pid, parent }) => (pids.length === 0 ? parent === os.pid : pids.includes(String(pid))));
  while (isAwaited()) yield* os.sleep(POLL);
  return 0;
};

/** `getopts LETTERS NAME [WORD…]`: the next option of the arguments; 1 when there are no more. */
export const getopts: Builtin = function* ([, letters, name, ...given], shell, streams) {
  if (letters === undefined || name === undefined) {
    streams.printError('getopts: usage: getopts optstring name [arg]\n');
    return 2;
  }
  const { state } = shell;
  const words = given.length > 0 ? given : state.positional;
  const at = Number(shell.variable('OPTIND') || 1);
  const word = words[at - 1];
  const place = state.optionPlace;
  if (word === undefined || !/^-./.test(word) || word === '--') {
    shell.assign(name, '?');
    shell.assign('OPTIND', String(word === '--' ? at + 1 : at));
    state.optionPlace = 1;
    return 1;
  }
  const letter = word[place]!;
  const isLast = place + 1 >= word.length;
  state.optionPlace = isLast ? 1 : place + 1;
  const isQuiet = letters.startsWith(':');
  const known = letter === ':' ? -1 : letters.indexOf(letter);
  const takesValue = known >= 0 && letters[known + 1] === ':';
  shell.assign('OPTIND', String(isLast ? at + 1 : at));
  state.variables.delete('OPTARG');
  if (known < 0) {
    if (isQuiet) shell.assign('OPTARG', letter);
    else streams.printError(`${state.name}: illegal option -- ${letter}\n`);
    shell.assign(name, '?');
    return 0;
  }
  if (takesValue) {
    state.optionPlace = 1;
    const value = isLast ? words[at] : word.slice(place + 1);
    shell.assign('OPTIND', String(isLast ? at + 2 : at + 1));
    if (value === undefined) {
      if (isQuiet) shell.assign('OPTARG', letter);
      else streams.printError(`${state.name}: option requires an argument -- ${letter}\n`);
      shell.assign(name, isQuiet ? ':' : '?');
      return 0;
    }
    shell.assign('OPTARG', value);
  }
  shell.assign(name, letter);
  return 0;
};
