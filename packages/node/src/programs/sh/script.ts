/** What is done with the value of a parameter: what stands behind the name in `${NAME…}`. */
export type Operation<Text = Word> =
  | { readonly kind: 'value' | 'length' | 'keys' | 'names' }
  /** Another text in its place: `-`, `=`, `+`, `?`. With a colon an empty value is none. */
  | {
      readonly kind: 'instead';
      readonly operator: '-' | '=' | '+' | '?';
      readonly isEmptyNone: boolean;
      readonly word: Text;
    }
  /** Without its beginning (`#`) or end (`%`): the shortest that fits, with two signs the longest. */
  | { readonly kind: 'cut'; readonly operator: '#' | '##' | '%' | '%%'; readonly word: Text }
  /** What fits replaced: the first, all (`/`), at the beginning (`#`) or at the end (`%`). */
  | { readonly kind: 'replace'; readonly where: '' | '/' | '#' | '%'; readonly word: Text; readonly by: Text }
  /** Some of its characters, or elements. */
  | { readonly kind: 'slice'; readonly word: Text; readonly length: Text | undefined }
  /** Capitals (`^`) or small letters (`,`): the first, with two signs all. */
  | { readonly kind: 'case'; readonly operator: '^' | '^^' | ',' | ',,'; readonly word: Text };

/** An element of `(…)`, at a place of its own with `[KEY]=`. */
export interface ArrayElement {
  readonly key?: Word;
  readonly value: Word;
}

/** A part of a word: what stands there, or what takes its place when the command runs. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly isQuoted: boolean }
  /** `$NAME`, `${NAME}`, `$?`, `$1`. */
  | { readonly kind: 'variable'; readonly name: string; readonly isQuoted: boolean }
  /** `${NAME[SUBSCRIPT]…}`. */
  | {
      readonly kind: 'parameter';
      readonly name: string;
      readonly subscript: Word | undefined;
      readonly isIndirect: boolean;
      readonly operation: Operation;
      readonly isQuoted: boolean;
    }
  /** `$((…))`: the value of the expression, in which variables are replaced first. */
  | { readonly kind: 'arithmetic'; readonly expression: Word; readonly isQuoted: boolean }
  /** `$(…)` and backquotes: what the commands print. */
  | { readonly kind: 'output'; readonly script: Script; readonly isQuoted: boolean }
  /** `<(…)`: a file with what the commands print. */
  | { readonly kind: 'file'; readonly script: Script; readonly isQuoted: boolean }
  /** `[SUBSCRIPT]` behind the name in an assignment. */
  | { readonly kind: 'subscript'; readonly subscript: Word; readonly isQuoted: boolean }
  /** `(…)` in an assignment. */
  | { readonly kind: 'array'; readonly elements: readonly ArrayElement[]; readonly isQuoted: boolean };

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

/** `NAME=VALUE`, `NAME[SUBSCRIPT]+=VALUE`, `NAME=(…)`. */
export interface Assignment {
  readonly name: string;
  readonly subscript?: Word;
  /** `+=`. */
  readonly isAppended?: true;
  readonly value: Word;
  /** Of `NAME=(…)`, in place of a value. */
  readonly elements?: readonly ArrayElement[];
}

/** `NAME=VALUE… WORD…`. */
export interface SimpleCommand extends Redirections {
  readonly kind: 'simple';
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  /** Where it begins. */
  readonly line: number;
}

/** What `[[ … ]]` asks. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly condition: Condition }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Word }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Word; readonly right: Word };

export type CompoundCommand = Redirections &
  (
    | { readonly kind: 'for'; readonly name: string; readonly words: readonly Word[]; readonly body: Script }
    /** `for ((FIRST; WHILE; NEXT))`. */
    | { readonly kind: 'count'; readonly expressions: readonly [Word, Word, Word]; readonly body: Script }
    | { readonly kind: 'case'; readonly subject: Word; readonly text: string; readonly choices: readonly Choice[] }
    | ({ readonly kind: 'while'; readonly isUntil: boolean } & Branch)
    | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise?: Script }
    /** `(( … ))`: succeeds if the value is not 0. */
    | { readonly kind: 'arithmetic'; readonly expression: Word; readonly line: number }
    /** `[[ … ]]`. */
    | { readonly kind: 'condition'; readonly condition: Condition; readonly line: number }
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
  /** The line ends behind it. */
  readonly isLineEnd?: true;
}

export type Script = readonly Statement[];

/** What a text says up to a mistake: the lines before it. */
export interface ReadScript {
  readonly script: Script;
  readonly complaint?: SyntaxComplaint;
}

/** Text that is no command line. */
export class SyntaxComplaint extends Error {
  /** More lines could make it one: bash would ask for them. */
  readonly isIncomplete: boolean;
  /** Where it was noticed, if not at the end. */
  readonly line: number | undefined;

  constructor(message: string, isIncomplete: boolean = false, line?: number) {
    super(message);
    this.isIncomplete = isIncomplete;
    this.line = line;
  }
}

/** What stands in a word has no value: the command is not run, nor what comes behind it in the line. */
export class ExpansionComplaint extends Error {
  /** A script ends. */
  readonly isFatal: boolean;

  constructor(message: string, isFatal: boolean = false) {
    super(message);
    this.isFatal = isFatal;
  }
}
