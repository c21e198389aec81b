import type { ParameterOperator } from './parameter.js';

/** A part of a word: what stands there, or what takes its place when the command runs. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly isQuoted: boolean }
  /** `$NAME`, `${NAME}`, `$?`, `$1`. */
  | { readonly kind: 'variable'; readonly name: string; readonly isQuoted: boolean }
  /** `${NAME:-WORD}` and its like. */
  | {
      readonly kind: 'parameter';
      readonly name: string;
      readonly operator: ParameterOperator;
      readonly isEmptyNone: boolean;
      readonly word: Word;
      readonly isQuoted: boolean;
    }
  /** `$((…))`: the value of the expression, in which variables are replaced first. */
  | { readonly kind: 'arithmetic'; readonly expression: Word; readonly isQuoted: boolean }
  /** `$(…)` and backquotes: what the commands print. */
  | { readonly kind: 'output'; readonly script: Script; readonly isQuoted: boolean };

export type Word = readonly Part[];

/** A file that is written, or added to; or the other of the two streams of a command (`>&2`, `2>&1`). */
export type Target = { readonly path: Word; readonly append: boolean } | 'output' | 'errors';

/** Where the three streams of a command come from and go to, when not where the shell's do. */
export interface Redirections {
  readonly output?: Target;
  readonly errors?: Target;
  /** A file, or a text that stands in the command line (`<<EOF`). */
  readonly input?: { readonly path: Word } | { readonly text: Word };
}

interface Branch {
  readonly condition: Script;
  readonly body: Script;
}

/** `PATTERN|PATTERN) …;;`. */
interface Choice {
  readonly patterns: readonly Word[];
  readonly body: Script;
}

/** `NAME=VALUE… WORD…`. */
export interface SimpleCommand extends Redirections {
  readonly kind: 'simple';
  readonly assignments: readonly { readonly name: string; readonly value: Word }[];
  readonly words: readonly Word[];
}

export type CompoundCommand = Redirections &
  (
    | { readonly kind: 'for'; readonly name: string; readonly words: readonly Word[]; readonly body: Script }
    | { readonly kind: 'case'; readonly subject: Word; readonly choices: readonly Choice[] }
    | ({ readonly kind: 'while'; readonly isUntil: boolean } & Branch)
    | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise?: Script }
    /** `{ …; }`, or `( … )`, whose variables and directory are its own. */
    | { readonly kind: 'group'; readonly isSubshell: boolean; readonly body: Script }
  );

/** `NAME() BODY`: from now on that name is a command. */
export interface FunctionDefinition extends Redirections {
  readonly kind: 'function';
  readonly name: string;
  readonly body: CompoundCommand;
}

export type Command = SimpleCommand | CompoundCommand | FunctionDefinition;

/** Commands joined by `|`, and how they hang on the ones before them. */
export interface Pipeline {
  readonly commands: readonly Command[];
  /** Begins with `!`: succeeds if it fails. */
  readonly isNegated: boolean;
  /** Run it: always (`;`), if what was before succeeded (`&&`), or failed (`||`). */
  readonly when: 'always' | 'success' | 'failure';
}

/** Pipelines joined by `&&` and `||`. */
export interface Statement {
  readonly pipelines: readonly Pipeline[];
  /** With `&` behind it nobody waits for it: as it stands in the line, to be run by a shell of its own. */
  readonly background?: string;
}

export type Script = readonly Statement[];

/** Text that is no command line. */
export class SyntaxComplaint extends Error {
  /** More lines could make it one: bash would ask for them. */
  readonly isIncomplete: boolean;

  constructor(message: string, isIncomplete: boolean = false) {
    super(message);
    this.isIncomplete = isIncomplete;
  }
}

/** What stands in a word has no value: the command is not run, nor what comes behind it. */
export class ExpansionComplaint extends Error {}
