import { isErrno, type Os, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { BUILTINS } from './builtins.js';
import { type CompoundShell, runCompound } from './compound.js';
import { expandText, expandWord } from './expand.js';
import { assignmentOf, isDeclaring, parseScript } from './parser.js';
import { programPath } from './program-paths.js';
import { inputOf, Output } from './redirection.js';
import {
  type Assignment,
  type Command,
  type CompoundCommand,
  ExpansionComplaint,
  type Pipeline,
  type Script,
  type SimpleCommand,
  type Statement,
  type SyntaxComplaint,
  type Word,
} from './script.js';
import { ShellVariables } from './shell-variables.js';
import type { RunningShell, ShellState, Streams } from './state.js';
import type { Hidden } from './variables.js';
import { quotedWord } from './word-quotes.js';

/** Functions that run at once: one that calls itself for ever takes no time. */
const NESTING_MAX = 100;

/** Does what a script says, in a process of its own. */
export class Shell extends ShellVariables implements RunningShell, CompoundShell {
  leaving: RunningShell['leaving'];
  loopsLeft: number = 0;
  /** Of the command that runs, in a file. */
  #line = 0;
  /** Names of files that are being read, one by the other. */
  readonly #sources: string[];
  /** The first of them is the script that it was started for. */
  #isOfScript: boolean;
  /** How many shells wait for what this one prints. */
  #depth = 0;
  /** What fails now is asked whether it does: it does not end a shell with `set -e`. */
  #questions = 0;
  /** Status of the last `$(…)` of a command. */
  #substituted: number | undefined;
  /** Files of `<(…)`, for as long as the command runs. */
  #files: string[] = [];
  /** Where complaints go of whatever runs. */
  #printError: (text: string) => void;

  /** @param script - the file that it reads, if it was started for one. */
  constructor(os: Os, state: ShellState, script?: string) {
    super(os, state);
    this.#sources = script === undefined ? [] : [script];
    this.#isOfScript = script !== undefined;
    this.#printError = (text) => os.printError(text);
  }

  /** A shell whose variables are its own. */
  #child(depth: number): Shell {
    const child = new Shell(this.os, this.state.copy());
    child.#sources.push(...this.#sources);
    child.#isOfScript = this.#isOfScript;
    child.#depth = depth;
    child.#line = this.#line;
    child.#questions = this.#questions;
    // What fails in `$(…)` is its status, no more.
    if (depth > this.#depth) child.state.options.delete('errexit');
    return child;
  }

  get isSourcing(): boolean {
    return this.#sources.length > Number(this.#isOfScript);
  }

  get #isInteractive(): boolean {
    return this.state.name === '-bash';
  }

  get prefix(): string {
    const source = this.#sources.at(-1);
    return source === undefined ? this.state.name : `${source}: line ${this.#line}`;
  }

  isOption(name: string): boolean {
    return this.state.options.has(name);
  }

  trace(text: string): void {
    if (this.isOption('xtrace')) this.#printError(`${'+'.repeat(this.#depth + 1)} ${text}\n`);
  }

  *source(text: string, name: string, streams: Streams): Task<number> {
    const line = this.#line;
    this.#sources.push(name);
    try {
      return yield* this.evaluate(text, streams);
    } finally {
      this.#sources.pop();
      this.#line = line;
      if (this.leaving === 'function') this.leaving = undefined;
    }
  }

  *evaluate(text: string, streams: Streams): Task<number> {
    const { script, complaint } = parseScript(text);
    const status = yield* this.run(script, streams);
    if (complaint === undefined || this.leaving !== undefined) return status;
    this.#complain(complaint, text, streams);
    return 2;
  }

  /** Of a file the line is told, and shown. */
  #complain({ message, line, isIncomplete }: SyntaxComplaint, text: string, streams: Streams): void {
    const lines = text.replace(/\n$/, '').split('\n');
    this.#line = line ?? lines.length + 1;
    streams.printError(`${this.prefix}: ${message}\n`);
    const isShown = this.#sources.length > 0 && line !== undefined && !isIncomplete;
    if (isShown) streams.printError(`${this.prefix}: \`${lines[line - 1]}'\n`);
  }

  *outputOf(script: Script): Task<string> {
    let output = '';
    const print = (text: string): void => {
      output += text;
    };
    const streams = { input: { rest: '' }, print, printError: this.#printError };
    this.#substituted = yield* this.apart(script, streams, this.#depth + 1);
    return output.replace(/\n+$/, '');
  }

  *fileOf(script: Script): Task<string> {
    let output = '';
    const print = (text: string): void => {
      output += text;
    };
    yield* this.apart(script, { input: { rest: '' }, print, printError: this.#printError });
    const path = `/tmp/sh-np-${this.os.pid}-${this.#files.length}`;
    yield* this.os.writeFile(path, utf8Bytes(output));
    this.#files.push(path);
    return path;
  }

  /** Runs everything, unless it is left before; gives the status of the last command. */
  *run(script: Script, streams: Streams): Task<number> {
    for (const statement of script) {
      yield* this.#statement(statement, streams);
      if (this.leaving !== undefined) break;
    }
    return this.state.status;
  }

  /** Does what a text says; a line with an expression that has no value ends there. */
  *runText(text: string, streams: Streams): Task<number> {
    const { script, complaint } = parseScript(text);
    yield* this.#runLines(script, streams);
    if (complaint === undefined || this.leaving !== undefined) return this.state.status;
    this.#complain(complaint, text, streams);
    this.state.status = 2;
    return 2;
  }

  *#runLines(script: Script, streams: Streams): Task {
    this.#printError = streams.printError;
    let isSkipped = false;
    for (const statement of script) {
      if (!isSkipped) isSkipped = !(yield* this.#runSafely(statement, streams));
      if (this.leaving !== undefined) return;
      if (statement.isLineEnd) isSkipped = false;
    }
  }

  /** False when an expression had no value. */
  *#runSafely(statement: Statement, streams: Streams): Task<boolean> {
    try {
      yield* this.#statement(statement, streams);
      return true;
    } catch (error) {
      if (!(error instanceof ExpansionComplaint)) throw error;
      streams.printError(`${this.prefix}: ${error.message}\n`);
      this.state.status = 1;
      if (error.isFatal && !this.#isInteractive) this.leaving = 'shell';
      return false;
    }
  }

  /** What `trap … EXIT` has for the end. */
  *end(streams: Streams): Task {
    const { state } = this;
    const text = state.traps.get('EXIT');
    if (text === undefined) return;
    state.traps.delete('EXIT');
    this.leaving = undefined;
    const { status } = state;
    yield* this.runText(text, streams);
    const hasExit = (this.leaving as RunningShell['leaving']) === 'shell';
    if (!hasExit) state.status = status;
    this.leaving = 'shell';
  }

  *#statement({ pipelines, background }: Statement, streams: Streams): Task {
    if (background !== undefined) {
      const pid = this.os.spawn(['sh', '-c', background], { environment: this.state.environment() });
      this.state.jobs += 1;
      if (!isErrno(pid)) this.state.lastJob = pid;
      if (this.#isInteractive) streams.printError(`[${this.state.jobs}] ${pid}\n`);
      this.state.status = 0;
      return;
    }
    for (const [i, pipeline] of pipelines.entries()) {
      const isDue = pipeline.when === 'always' || (pipeline.when === 'success') === (this.state.status === 0);
      if (!isDue) continue;
      const isLast = i === pipelines.length - 1;
      yield* isLast && !pipeline.isNegated ? this.#decisive(pipeline, streams) : this.#question(pipeline, streams);
      if (this.leaving !== undefined) return;
    }
  }

  /** A pipeline whose failure ends a shell with `set -e`. */
  *#decisive(pipeline: Pipeline, streams: Streams): Task {
    yield* this.#pipeline(pipeline, streams);
    if (this.state.status === 0 || this.#questions > 0 || this.leaving !== undefined) return;
    // What a compound command ends with has been looked at inside.
    const [only, ...others] = pipeline.commands;
    const isOwn = others.length > 0 || isSimple(only!);
    if (isOwn && this.isOption('errexit')) this.leaving = 'shell';
  }

  *#question(pipeline: Pipeline, streams: Streams): Task {
    this.#questions += 1;
    try {
      yield* this.#pipeline(pipeline, streams);
    } finally {
      this.#questions -= 1;
    }
  }

  *isMet(script: Script, streams: Streams): Task<boolean> {
    this.#questions += 1;
    try {
      return (yield* this.run(script, streams)) === 0;
    } finally {
      this.#questions -= 1;
    }
  }

  *#pipeline({ commands, isNegated }: Pipeline, streams: Streams): Task {
    let { input } = streams;
    const statuses: number[] = [];
    for (const [i, command] of commands.entries()) {
      const isLast = i === commands.length - 1;
      let output = '';
      const print = (text: string): void => {
        output += text;
      };
      const its = { input, print: isLast ? streams.print : print, printError: streams.printError };
      const isAlone = commands.length === 1;
      statuses.push(yield* isAlone ? this.#command(command, its) : this.apart([statementOf(command)], its));
      input = { rest: output };
    }
    const { state } = this;
    state.pipeStatus = statuses;
    const failed = this.isOption('pipefail') ? statuses.filter((status) => status !== 0).at(-1) : undefined;
    state.status = failed ?? statuses.at(-1)!;
    if (isNegated) state.status = state.status === 0 ? 1 : 0;
  }

  /** Runs a script whose variables, directory and `exit` do not count outside. */
  *apart(script: Script, streams: Streams, depth: number = this.#depth): Task<number> {
    const { directory } = this.os;
    const shell = this.#child(depth);
    yield* shell.#runLines(script, streams);
    yield* shell.end(streams);
    if (this.os.directory !== directory) yield* this.os.changeDirectory(directory);
    return shell.state.status;
  }

  *#command(command: Command, streams: Streams): Task<number> {
    if (command.kind === 'function') {
      this.state.functions.set(command.name, command.body);
      return 0;
    }
    if ('line' in command) this.#line = command.line;
    const input = yield* inputOf(this.os, command, this, streams);
    if (input === undefined) return 1;
    const output = new Output(this.os, command, this, streams);
    const status =
      command.kind === 'simple'
        ? yield* this.#simple(command, output.streams(input))
        : yield* this.#withErrors(output.streams(input), (its) => runCompound(this, command, its));
    return (yield* output.write()) ? status : 1;
  }

  /** What a compound command traces goes where its complaints go. */
  *#withErrors(streams: Streams, act: (streams: Streams) => Task<number>): Task<number> {
    const before = this.#printError;
    this.#printError = streams.printError;
    try {
      return yield* act(streams);
    } finally {
      this.#printError = before;
    }
  }

  *#simple({ assignments, words: given }: SimpleCommand, streams: Streams): Task<number> {
    this.#substituted = undefined;
    const { words, lists } = yield* this.#wordsOf(given);
    const [name] = words;
    const shown: string[] = [];
    const isKept = name === undefined;
    const hidden = new Map<string, Hidden>();
    for (const assignment of assignments) {
      if (!isKept && !hidden.has(assignment.name))
        hidden.set(assignment.name, this.state.variables.save(assignment.name));
      shown.push(yield* this.doAssignment(assignment));
    }
    if (isKept) {
      for (const each of shown) this.trace(each);
      return this.#substituted ?? 0;
    }
    this.trace([...shown, ...words.map(quotedWord)].join(' '));
    const body = this.state.functions.get(name);
    const assigned = new Set(hidden.keys());
    try {
      if (body !== undefined) return yield* this.#call(name, body, words.slice(1), streams);
      const status = yield* this.#withoutFunction(words, streams, assigned);
      for (const list of lists) yield* this.doAssignment(list);
      return status;
    } finally {
      for (const [variable, value] of hidden) this.state.variables.putBack(variable, value);
      yield* this.#removeFiles();
    }
  }

  /** The words of a command; what it declares with elements is left out, by name. */
  *#wordsOf(given: readonly Word[]): Task<{ readonly words: string[]; readonly lists: readonly Assignment[] }> {
    const words: string[] = [];
    const lists: Assignment[] = [];
    for (const word of given) {
      const assignment = isDeclaring(given[0]) ? assignmentOf(word) : undefined;
      if (assignment === undefined) words.push(...(yield* expandWord(this.os, word, this)));
      else if (assignment.elements !== undefined) {
        words.push(assignment.name);
        lists.push(assignment);
      } else {
        const subscript = assignment.subscript && `[${yield* expandText(assignment.subscript, this)}]`;
        const sign = assignment.isAppended ? '+=' : '=';
        words.push(`${assignment.name}${subscript ?? ''}${sign}${yield* expandText(assignment.value, this)}`);
      }
    }
    return { words, lists };
  }

  command(words: readonly string[], streams: Streams): Task<number> {
    return this.#withoutFunction(words, streams, new Set());
  }

  /** @param assigned - names of what stood before the command. */
  *#withoutFunction(words: readonly string[], streams: Streams, assigned: ReadonlySet<string>): Task<number> {
    const builtin = BUILTINS.get(words[0]!);
    if (builtin !== undefined) return yield* builtin(words, this, streams);
    const environment: Record<string, string> = { ...this.state.environment() };
    for (const name of assigned) environment[name] = this.variable(name);
    const options = { environment, input: streams.input.rest };
    let result = yield* this.os.run(words, options);
    if (result.status === 127 && (yield* this.#isScript(words[0]!))) {
      result = yield* this.os.run(['sh', ...words], options);
    }
    const { status, output, errors } = result;
    streams.print(output);
    streams.printError(status === 127 ? errors.replace(/^-bash: /, `${this.prefix}: `) : errors);
    return status;
  }

  /** Whether a path is that of a file that says by its first line that it is to be read by a shell. */
  *#isScript(path: string): Task<boolean> {
    const bytes = path.includes('/') ? yield* this.os.readFile(path) : 'ENOENT';
    return !isErrno(bytes) && /^#! *\/bin\/(ba)?sh\b/.test(utf8Text(bytes.subarray(0, 32)));
  }

  isBuiltin(name: string): boolean {
    return BUILTINS.has(name);
  }

  *pathOf(name: string): Task<string | undefined> {
    const { output } = yield* this.os.run(['compgen', '-c', name]);
    if (!output.split('\n').includes(name) || this.isBuiltin(name)) return undefined;
    return programPath(name);
  }

  *#removeFiles(): Task {
    for (const path of this.#files.splice(0)) yield* this.os.remove(path);
  }

  *#call(name: string, body: CompoundCommand, args: readonly string[], streams: Streams): Task<number> {
    const { state } = this;
    if (state.hidden.length === NESTING_MAX) {
      streams.printError(`${this.prefix}: ${name}: maximum function nesting level exceeded (${NESTING_MAX})\n`);
      return 1;
    }
    const { positional } = state;
    state.hidden.push(new Map());
    state.positional = args;
    try {
      return yield* this.#command(body, streams);
    } finally {
      state.positional = positional;
      for (const [variable, value] of state.hidden.pop()!) state.variables.putBack(variable, value);
      if (this.leaving === 'function') this.leaving = undefined;
    }
  }
}

function isSimple({ kind, ...rest }: Command): boolean {
  return ['simple', 'condition', 'arithmetic'].includes(kind) || ('isSubshell' in rest && rest.isSubshell);
}

function statementOf(command: Command): Statement {
  return { pipelines: [{ commands: [command], isNegated: false, when: 'always' }] };
}
