import type { Os, Task } from '@quorate/kernel';
import { evaluate } from './arithmetic.js';
import { withoutBraces } from './braces.js';
import { expandText, expandWord, type Values } from './expand.js';
import { PATH } from './program-paths.js';
import { type Assignment, ExpansionComplaint, type Script } from './script.js';
import type { ShellState } from './state.js';
import { quotedWord } from './word-quotes.js';

/** What names stand for in a shell: its own parameters, and its variables. */
export abstract class ShellVariables implements Values {
  readonly os: Os;
  readonly state: ShellState;

  constructor(os: Os, state: ShellState) {
    this.os = os;
    this.state = state;
  }

  abstract outputOf(script: Script): Task<string>;
  abstract fileOf(script: Script): Task<string>;

  get positional(): readonly string[] {
    return this.state.positional;
  }

  get separators(): string {
    return this.state.variables.get('IFS') ?? ' \t\n';
  }

  get hasPatterns(): boolean {
    return !this.state.options.has('noglob');
  }

  variable(name: string): string {
    return this.lookup(name) ?? '';
  }

  lookup(name: string, subscript?: string): string | undefined {
    if (subscript !== undefined) return this.#element(name, subscript);
    const own = this.#parameter(name);
    if (own !== undefined) return own;
    if (/^\d/.test(name)) return this.state.positional[Number(name) - 1];
    return this.state.variables.get(name) ?? this.#default(name);
  }

  /** What has a sign for a name; undefined for others. */
  #parameter(name: string): string | undefined {
    const { state } = this;
    switch (name) {
      case '?':
        return String(state.status);
      case '$':
        return String(this.os.pid);
      case '!':
        return state.lastJob === undefined ? '' : String(state.lastJob);
      case '#':
        return String(state.positional.length);
      case '@':
      case '*':
        return state.positional.length === 0 ? undefined : state.positional.join(' ');
      case '-':
        return this.#flags();
      case '0':
        return state.name;
      default:
        return undefined;
    }
  }

  /** What the shell sets by itself. */
  #default(name: string): string | undefined {
    switch (name) {
      case 'BASH_VERSION':
        return '4.1.2(1)-release';
      case 'EUID':
      case 'UID':
        return '0';
      case 'HOME':
        return '/root';
      case 'HOSTNAME':
        return this.os.hostname;
      case 'IFS':
        return ' \t\n';
      case 'PATH':
        return PATH;
      case 'PPID':
        return '1';
      case 'PWD':
        return this.os.directory;
      case 'SECONDS':
        return String(Math.floor(this.os.uptime() / 1e9));
      case 'USER':
        return 'root';
      default:
        return undefined;
    }
  }

  #flags(): string {
    const letters = { errexit: 'e', noglob: 'f', nounset: 'u', xtrace: 'x' };
    const on = Object.entries(letters).filter(([name]) => this.state.options.has(name));
    return `${on.map(([, letter]) => letter).join('')}hB`;
  }

  unset(name: string): string {
    if (this.state.options.has('nounset') && name !== '@' && name !== '*') {
      throw new ExpansionComplaint(`${name}: unbound variable`, true);
    }
    return '';
  }

  elements(name: string): readonly (readonly [string, string])[] {
    if (name === 'PIPESTATUS') return this.state.pipeStatus.map((status, i) => [String(i), String(status)]);
    return this.state.variables.elements(name);
  }

  names(): readonly string[] {
    return this.state.variables.names();
  }

  #element(name: string, subscript: string): string | undefined {
    const key = this.#keyOf(name, subscript);
    if (name === 'PIPESTATUS') return this.elements(name)[Number(key)]?.[1];
    return this.state.variables.get(name, key);
  }

  /** A number for elements that have numbers. */
  #keyOf(name: string, subscript: string): string {
    if (this.state.variables.kindOf(name) === 'associative') return subscript;
    const index = this.valueOf(subscript);
    if (index.startsWith('-')) throw new ExpansionComplaint(`${name}: bad array subscript`);
    return index;
  }

  assign(name: string, value: string, subscript?: string): void {
    const key = subscript === undefined ? undefined : this.#keyOf(name, subscript);
    this.state.variables.set(name, value, key);
  }

  assignAll(name: string, elements: readonly string[]): void {
    const { variables } = this.state;
    variables.declare(name, 'indexed');
    variables.empty(name);
    for (const [i, value] of elements.entries()) variables.set(name, value, String(i));
  }

  /** Does what an assignment says; gives it as `set -x` shows it. */
  *doAssignment(assignment: Assignment): Task<string> {
    const { name, isAppended } = assignment;
    const sign = isAppended ? '+=' : '=';
    if (assignment.elements !== undefined) {
      const values = yield* this.#assignElements(assignment);
      return `${name}${sign}(${values.join(' ')})`;
    }
    const subscript = assignment.subscript && (yield* expandText(assignment.subscript, this));
    const value = yield* expandText(assignment.value, this);
    const before = isAppended ? (this.lookup(name, subscript) ?? '') : '';
    this.assign(name, before + value, subscript);
    const shown = value === '' ? '' : quotedWord(value);
    return `${subscript === undefined ? name : `${name}[${subscript}]`}${sign}${shown}`;
  }

  *#assignElements({ name, isAppended, elements = [] }: Assignment): Task<readonly string[]> {
    const { variables } = this.state;
    const given: (readonly [key: string | undefined, value: string])[] = [];
    for (const { key, value } of elements) {
      if (key !== undefined) given.push([yield* expandText(key, this), yield* expandText(value, this)]);
      else
        for (const word of withoutBraces(value))
          for (const each of yield* expandWord(this.os, word, this)) given.push([undefined, each]);
    }
    variables.declare(name, 'indexed');
    if (!isAppended) variables.empty(name);
    let next = variables.nextIndex(name);
    for (const [key, value] of given) {
      const place = key === undefined ? String(next) : this.#keyOf(name, key);
      variables.set(name, value, place);
      next = Number(place) + 1;
    }
    return given.map(([key, value]) => (key === undefined ? value : `[${key}]=${value}`));
  }

  valueOf(expression: string): string {
    const value = evaluate(expression, {
      get: (name, subscript) => this.lookup(name, subscript) ?? this.unset(name),
      set: (name, subscript, text) => this.assign(name, text, subscript),
    });
    return String(value);
  }
}
