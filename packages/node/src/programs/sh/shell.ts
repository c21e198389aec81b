import { isErrno, type Os, SECOND, strerror, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { evaluate } from './arithmetic.js';
import { BUILTINS } from './builtins.js';
import { expandPattern, expandText, expandWord, type Values } from './expand.js';
import { parseCommandLine } from './parser.js';
import {
  type Command,
  type CompoundCommand,
  ExpansionComplaint,
  type Pipeline,
  type Redirections,
  type Script,
  type Statement,
  type Target,
  type Word,
} from './script.js';
import type { Input, RunningShell, ShellState, Streams } from './state.js';

/** What a turn of a loop takes at least: one that does nothing else would never let time pass. */
const TURN = SECOND / 1000;
const NOWHERE = '/dev/null';
/** Functions that run at once: one that calls itself for ever takes no time. */
const NESTING_MAX = 100;
/** Commands whose operands are assignments. */
const DECLARING = ['local', 'export'];

/** Does what a script says, in a process of its own. */
export class Shell implements RunningShell, Values {
  readonly os: Os;
  readonly state: ShellState;
  leaving: RunningShell['leaving'];
  /** Files that are being read, one by the other. */
  #sources = 0;

  constructor(os: Os, state: ShellState) {
    this.os = os;
    this.state = state;
  }

  variable(name: string): string {
    switch (name) {
      case '?':
        return String(this.state.status);
      case '$':
        return String(this.os.pid);
      case '#':
        return String(this.state.positional.length);
      case '@':
      case '*':
        return this.state.positional.join(' ');
      case '0':
        return this.state.name;
      case 'HOME':
        return this.state.variables.get(name) ?? '/root';
      case 'HOSTNAME':
        return this.state.variables.get(name) ?? this.os.hostname;
      case 'PWD':
        return this.os.directory;
      case 'USER':
        return this.state.variables.get(name) ?? 'root';
      default:
        if (/^\d/.test(name)) return this.state.positional[Number(name) - 1] ?? '';
        return this.state.variables.get(name) ?? '';
    }
  }

  get positional(): readonly string[] {
    return this.state.positional;
  }

  isSet(name: string): boolean {
    return this.state.variables.has(name) || this.variable(name) !== '' || Number(name) <= this.positional.length;
  }

  assign(name: string, value: string): void {
    this.state.variables.set(name, value);
  }

  valueOf(expression: string): string {
    return String(
      evaluate(expression, {
        get: (name) => this.variable(name),
        set: (name, _subscript, value) => this.state.variables.set(name, value),
      }),
    );
  }

  get isSourcing(): boolean {
    return this.#sources > 0;
  }

  *source(text: string, streams: Streams): Task<number> {
    const script = parseCommandLine(text);
    if (typeof script === 'string') {
      streams.printError(`-bash: ${script}\n`);
      return 2;
    }
    this.#sources += 1;
    try {
      return yield* this.run(script, streams);
    } finally {
      this.#sources -= 1;
      if (this.leaving === 'function') this.leaving = undefined;
    }
  }

  *outputOf(script: Script): Task<string> {
    let output = '';
    const print = (text: string): void => {
      output += text;
    };
    yield* this.#apart(script, { input: { rest: '' }, print, printError: (text) => this.os.printError(text) });
    return output.replace(/\n+$/, '');
  }

  /** Runs everything, unless it is left before; gives the status of the last command. */
  *run(script: Script, streams: Streams): Task<number> {
    for (const statement of script) {
      yield* this.#statement(statement, streams);
      if (this.leaving !== undefined) break;
    }
    return this.state.status;
  }

  /** As `run`; an expression without a value ends it. */
  *runSafely(script: Script, streams: Streams): Task<number> {
    try {
      return yield* this.run(script, streams);
    } catch (error) {
      if (!(error instanceof ExpansionComplaint)) throw error;
      streams.printError(`-bash: ${error.message}\n`);
      this.state.status = 1;
      return 1;
    }
  }

  *#statement({ pipelines, background }: Statement, streams: Streams): Task {
    if (background !== undefined) {
      const pid = this.os.spawn(['sh', '-c', background], { environment: this.state.environment() });
      this.state.jobs += 1;
      streams.printError(`[${this.state.jobs}] ${pid}\n`);
      this.state.status = 0;
      return;
    }
    for (const pipeline of pipelines) {
      const isDue = pipeline.when === 'always' || (pipeline.when === 'success') === (this.state.status === 0);
      if (isDue) yield* this.#pipeline(pipeline, streams);
      if (this.leaving !== undefined) return;
    }
  }

  *#pipeline({ commands, isNegated }: Pipeline, streams: Streams): Task {
    let { input } = streams;
    for (const [i, command] of commands.entries()) {
      const isLast = i === commands.length - 1;
      let output = '';
      const print = (text: string): void => {
        output += text;
      };
      const its = { input, print: isLast ? streams.print : print, printError: streams.printError };
      if (commands.length > 1 && command.kind !== 'simple') {
        this.state.status = yield* this.#apart([{ pipelines: [pipelineOf(command)] }], its);
      } else this.state.status = yield* this.#command(command, its);
      input = { rest: output };
    }
    if (isNegated) this.state.status = this.state.status === 0 ? 1 : 0;
  }

  /** Runs a script whose variables, directory and `exit` do not count outside. */
  *#apart(script: Script, streams: Streams): Task<number> {
    const { directory } = this.os;
    const status = yield* new Shell(this.os, this.state.copy()).runSafely(script, streams);
    if (this.os.directory !== directory) yield* this.os.changeDirectory(directory);
    return status;
  }

  *#command(command: Command, streams: Streams): Task<number> {
    if (command.kind === 'function') {
      this.state.functions.set(command.name, command.body);
      return 0;
    }
    const input = yield* this.#inputOf(command, streams);
    if (input === undefined) return 1;
    const toOutput = sinkOf(command.output, streams.print, streams);
    const toErrors = command.errors === 'output' ? toOutput : sinkOf(command.errors, streams.printError, streams);
    const its = { input, print: toOutput.print, printError: toErrors.print };
    const status =
      command.kind === 'simple'
        ? yield* this.#simple(command.assignments, command.words, its)
        : yield* this.#compound(command, its);
    const isWritten =
      (yield* this.#write(command.output, toOutput.text(), streams)) &&
      (toErrors === toOutput || (yield* this.#write(command.errors, toErrors.text(), streams)));
    return isWritten ? status : 1;
  }

  *#simple(
    assignments: readonly { readonly name: string; readonly value: Word }[],
    given: readonly Word[],
    streams: Streams,
  ): Task<number> {
    const words: string[] = [];
    for (const word of given) {
      // As in an assignment nothing is split there.
      if (DECLARING.includes(words[0] ?? '') && isAssignment(word)) words.push(yield* expandText(word, this));
      else words.push(...(yield* expandWord(this.os, word, this)));
    }
    const assigned: [string, string][] = [];
    for (const { name, value } of assignments) assigned.push([name, yield* expandText(value, this)]);
    const [name] = words;
    if (name === undefined) {
      for (const [variable, value] of assigned) this.state.variables.set(variable, value);
      return 0;
    }
    const body = this.state.functions.get(name);
    if (body !== undefined) return yield* this.#call(name, body, words.slice(1), assigned, streams);
    const builtin = BUILTINS.get(name);
    if (builtin !== undefined) return yield* builtin(words, this, streams);
    const environment = { ...this.state.environment(), ...Object.fromEntries(assigned) };
    const { status, output, errors } = yield* this.os.run(words, { environment, input: streams.input.rest });
    streams.print(output);
    streams.printError(errors);
    return status;
  }

  /** Runs a function; what is assigned before its name is local to it. */
  *#call(
    name: string,
    body: CompoundCommand,
    args: readonly string[],
    assigned: readonly (readonly [string, string])[],
    streams: Streams,
  ): Task<number> {
    const { state } = this;
    if (state.hidden.length === NESTING_MAX) {
      streams.printError(`-bash: ${name}: maximum function nesting level exceeded (${NESTING_MAX})\n`);
      return 1;
    }
    const { positional } = state;
    state.hidden.push(new Map(assigned.map(([variable]) => [variable, state.variables.get(variable)])));
    for (const [variable, value] of assigned) state.variables.set(variable, value);
    state.positional = args;
    try {
      return yield* this.#command(body, streams);
    } finally {
      state.positional = positional;
      for (const [variable, value] of state.hidden.pop()!) {
        if (value === undefined) state.variables.delete(variable);
        else state.variables.set(variable, value);
      }
      if (this.leaving === 'function') this.leaving = undefined;
    }
  }

  *#compound(command: CompoundCommand, streams: Streams): Task<number> {
    switch (command.kind) {
      case 'group':
        return yield* command.isSubshell ? this.#apart(command.body, streams) : this.run(command.body, streams);
      case 'if':
        return yield* this.#if(command, streams);
      case 'case':
        return yield* this.#case(command, streams);
      case 'while':
        return yield* this.#while(command, streams);
      case 'for': {
        const words: string[] = [];
        for (const word of command.words) words.push(...(yield* expandWord(this.os, word, this)));
        this.state.status = 0;
        for (const word of words) {
          this.state.variables.set(command.name, word);
          if (!(yield* this.#turn(command.body, streams))) break;
        }
        return this.state.status;
      }
    }
  }

  *#if({ branches, otherwise }: Extract<CompoundCommand, { kind: 'if' }>, streams: Streams): Task<number> {
    for (const { condition, body } of branches) {
      const isMet = (yield* this.run(condition, streams)) === 0;
      if (this.leaving !== undefined) return this.state.status;
      if (isMet) return yield* this.run(body, streams);
    }
    this.state.status = 0;
    return otherwise === undefined ? 0 : yield* this.run(otherwise, streams);
  }

  *#case({ subject, choices }: Extract<CompoundCommand, { kind: 'case' }>, streams: Streams): Task<number> {
    const text = yield* expandText(subject, this);
    this.state.status = 0;
    for (const { patterns, body } of choices) {
      for (const pattern of patterns) {
        if ((yield* expandPattern(pattern, this)).test(text)) return yield* this.run(body, streams);
      }
    }
    return 0;
  }

  *#while({ isUntil, condition, body }: Extract<CompoundCommand, { kind: 'while' }>, streams: Streams): Task<number> {
    let status = 0;
    for (;;) {
      const isMet = (yield* this.run(condition, streams)) === 0;
      if (this.leaving !== undefined || isMet === isUntil) return status;
      const goesOn = yield* this.#turn(body, streams);
      ({ status } = this.state);
      if (!goesOn) return status;
    }
  }

  /** One turn of a loop; false when it was the last. */
  *#turn(body: Script, streams: Streams): Task<boolean> {
    yield* this.os.sleep(TURN);
    yield* this.run(body, streams);
    const { leaving } = this;
    if (leaving === 'loop' || leaving === 'turn') this.leaving = undefined;
    return leaving === undefined || leaving === 'turn';
  }

  *#inputOf({ input }: Redirections, streams: Streams): Task<Input | undefined> {
    if (input === undefined) return streams.input;
    if ('text' in input) return { rest: yield* expandText(input.text, this) };
    const path = yield* expandText(input.path, this);
    if (path === NOWHERE) return { rest: '' };
    const bytes = yield* this.os.readFile(path);
    if (!isErrno(bytes)) return { rest: utf8Text(bytes) };
    streams.printError(`-bash: ${path}: ${strerror(bytes)}\n`);
    return undefined;
  }

  /** False when it cannot be written, which is complained about. */
  *#write(target: Target | undefined, text: string, streams: Streams): Task<boolean> {
    if (target === undefined || typeof target === 'string') return true;
    const path = yield* expandText(target.path, this);
    if (path === NOWHERE) return true;
    const written = yield* this.os.writeFile(path, utf8Bytes(text), { append: target.append });
    if (!isErrno(written)) return true;
    streams.printError(`-bash: ${path}: ${strerror(written)}\n`);
    return false;
  }
}

function isAssignment([first]: Word): boolean {
  return first?.kind === 'text' && !first.isQuoted && /^[A-Za-z_]\w*=/.test(first.text);
}

function pipelineOf(command: Command): Pipeline {
  return { commands: [command], isNegated: false, when: 'always' };
}

/** Where a stream goes: where it goes by itself, into the other one, or into a text that is written to a file in the end. */
function sinkOf(
  target: Target | undefined,
  byItself: (text: string) => void,
  { print, printError }: Streams,
): { readonly print: (text: string) => void; readonly text: () => string } {
  let kept = '';
  const keep = (text: string): void => {
    kept += text;
  };
  const to = target === undefined ? byItself : target === 'errors' ? printError : target === 'output' ? print : keep;
  return { print: to, text: () => kept };
}
