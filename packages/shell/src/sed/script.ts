/** The lines that a command is for. */
export type Address =
  | { readonly kind: 'line'; readonly number: number }
  | { readonly kind: 'last' }
  /** Without an expression the last one that was used. */
  | { readonly kind: 'match'; readonly expression: RegExp | undefined }
  /** `FIRST~STEP`. */
  | { readonly kind: 'step'; readonly first: number; readonly step: number };

/** Where a range ends: at an address, so many lines later, or at a multiple. */
export type RangeEnd =
  | Address
  | { readonly kind: 'count'; readonly lines: number }
  | { readonly kind: 'multiple'; readonly of: number };

export interface Substitution {
  /** Without one the last that was used. */
  readonly expression: RegExp | undefined;
  readonly replacement: string;
  readonly isGlobal: boolean;
  /** The first that is replaced. */
  readonly occurrence: number;
  readonly isPrinted: boolean;
}

export type Action =
  | { readonly name: '{'; readonly end: number }
  | { readonly name: '}' | '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'l' | 'n' | 'N' | 'p' | 'P' | 'x' }
  | { readonly name: 'a' | 'i' | 'c'; readonly text: string }
  | { readonly name: 'q' | 'Q'; readonly status: number }
  | { readonly name: 'r' | 'w'; readonly path: string }
  /** `target` is the place of the command to go on with: behind the last without a label. */
  | { readonly name: 'b' | 't' | 'T'; readonly target: number }
  | { readonly name: ':' }
  | { readonly name: 's'; readonly substitution: Substitution }
  | { readonly name: 'y'; readonly from: string; readonly to: string };

export interface Command {
  readonly first: Address | undefined;
  readonly end: RangeEnd | undefined;
  /** `!`: for the other lines. */
  readonly isNegated: boolean;
  readonly action: Action;
}

/** A script that sed does not take, in its words. */
export class ScriptComplaint extends Error {}
