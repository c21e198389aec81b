import { SECOND, type Task } from '@quorate/kernel';
import { meets } from './condition.js';
import { expandPattern, expandText, expandWord } from './expand.js';
import { type CompoundCommand, ExpansionComplaint, type Script, type Word } from './script.js';
import type { ShellVariables } from './shell-variables.js';
import type { RunningShell, Streams } from './state.js';
import { quotedWord } from './word-quotes.js';

/** What a turn of a loop takes at least: one that does nothing else would never let time pass. */
const TURN = SECOND / 1000;

/** What a shell does for its loops, choices and groups. */
export interface CompoundShell extends ShellVariables, Pick<RunningShell, 'leaving' | 'loopsLeft' | 'prefix'> {
  /** Runs everything, unless it is left before; gives the status of the last command. */
  run(script: Script, streams: Streams): Task<number>;
  /** Runs what is asked whether it succeeds. */
  isMet(script: Script, streams: Streams): Task<boolean>;
  /** Runs what has variables, a directory and an end of its own. */
  apart(script: Script, streams: Streams): Task<number>;
  isOption(name: string): boolean;
  trace(text: string): void;
}

/** Runs a command that is made of others; gives its status. */
export function* runCompound(shell: CompoundShell, command: CompoundCommand, streams: Streams): Task<number> {
  switch (command.kind) {
    case 'group':
      return yield* command.isSubshell ? shell.apart(command.body, streams) : shell.run(command.body, streams);
    case 'if':
      return yield* runIf(shell, command, streams);
    case 'case':
      return yield* runCase(shell, command, streams);
    case 'while':
      return yield* runWhile(shell, command, streams);
    case 'for':
      return yield* runFor(shell, command, streams);
    case 'count':
      return yield* runCount(shell, command, streams);
    case 'condition':
      return (yield* meets(command.condition, shell)) ? 0 : 1;
    case 'arithmetic':
      return yield* runArithmetic(shell, command.expression, streams);
  }
}

/** A mistake is complained about, and ends nothing. */
function* runArithmetic(shell: CompoundShell, expression: Word, streams: Streams): Task<number> {
  const text = yield* expandText(expression, shell);
  shell.trace(`(( ${text.trim()} ))`);
  try {
    return shell.valueOf(text) === '0' ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ExpansionComplaint)) throw error;
    streams.printError(`${shell.prefix}: ((: ${error.message}\n`);
    return 1;
  }
}

function* runFor(
  shell: CompoundShell,
  { name, words: given, body }: Extract<CompoundCommand, { kind: 'for' }>,
  streams: Streams,
): Task<number> {
  const words: string[] = [];
  for (const word of given) words.push(...(yield* expandWord(shell.os, word, shell)));
  let status = 0;
  for (const word of words) {
    shell.assign(name, word);
    shell.trace(`for ${name} in ${words.map(quotedWord).join(' ')}`);
    const goesOn = yield* runTurn(shell, body, streams);
    ({ status } = shell.state);
    if (!goesOn) break;
  }
  return status;
}

function* runCount(
  shell: CompoundShell,
  { expressions, body }: Extract<CompoundCommand, { kind: 'count' }>,
  streams: Streams,
): Task<number> {
  const [first, condition, next] = expressions;
  yield* counted(shell, first);
  let status = 0;
  while ((yield* counted(shell, condition)) !== '0') {
    const goesOn = yield* runTurn(shell, body, streams);
    ({ status } = shell.state);
    if (!goesOn) break;
    yield* counted(shell, next);
  }
  return status;
}

/** The value of one of the three expressions: 1 when there is none. */
function* counted(shell: CompoundShell, expression: Word): Task<string> {
  const text = (yield* expandText(expression, shell)).trim();
  if (text !== '') shell.trace(`(( ${text} ))`);
  return text === '' ? '1' : shell.valueOf(text);
}

function* runIf(
  shell: CompoundShell,
  { branches, otherwise }: Extract<CompoundCommand, { kind: 'if' }>,
  streams: Streams,
): Task<number> {
  for (const { condition, body } of branches) {
    const isMet = yield* shell.isMet(condition, streams);
    if (shell.leaving !== undefined) return shell.state.status;
    if (isMet) return yield* shell.run(body, streams);
  }
  shell.state.status = 0;
  return otherwise === undefined ? 0 : yield* shell.run(otherwise, streams);
}

function* runCase(
  shell: CompoundShell,
  { subject, text: given, choices }: Extract<CompoundCommand, { kind: 'case' }>,
  streams: Streams,
): Task<number> {
  const text = yield* expandText(subject, shell);
  shell.trace(`case ${given} in`);
  shell.state.status = 0;
  for (const { patterns, body } of choices) {
    for (const pattern of patterns) {
      if ((yield* expandPattern(pattern, shell)).test(text)) return yield* shell.run(body, streams);
    }
  }
  return 0;
}

function* runWhile(
  shell: CompoundShell,
  { isUntil, condition, body }: Extract<CompoundCommand, { kind: 'while' }>,
  streams: Streams,
): Task<number> {
  let status = 0;
  for (;;) {
    const isMet = yield* shell.isMet(condition, streams);
    if (isLoopLeft(shell)) return status;
    if (shell.leaving !== undefined || isMet === isUntil) return status;
    const goesOn = yield* runTurn(shell, body, streams);
    ({ status } = shell.state);
    if (!goesOn) return status;
  }
}

/** One turn of a loop; false when it was the last. */
function* runTurn(shell: CompoundShell, body: Script, streams: Streams): Task<boolean> {
  yield* shell.os.sleep(TURN);
  yield* shell.run(body, streams);
  return !isLoopLeft(shell);
}

/** Whether the turn ended all: by what leaves the loop, those around it, or more. */
function isLoopLeft(shell: CompoundShell): boolean {
  const { leaving } = shell;
  if (leaving !== 'loop' && leaving !== 'turn') return leaving !== undefined;
  shell.loopsLeft -= 1;
  if (shell.loopsLeft > 0) return true;
  shell.leaving = undefined;
  return leaving === 'loop';
}
