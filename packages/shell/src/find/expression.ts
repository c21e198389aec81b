import type { FileInfo, Os, Task } from '@quorate/kernel';

/** A file that is looked at. */
export interface Found {
  readonly path: string;
  readonly name: string;
  readonly info: FileInfo;
  /** Below the path that was given. */
  readonly depth: number;
}

/** Whether an expression holds for a file; it may do something. */
export type Test = (found: Found) => Task<boolean>;

/** What a whole expression says beside its tests. */
export interface Search {
  readonly test: Test;
  /** It prints or runs something: else what it holds for is printed. */
  isActing: boolean;
  least: number;
  most: number;
  /** What is in a directory comes before it. */
  isDepthFirst: boolean;
  /** `-prune` held for the directory that is looked at. */
  isPruned: boolean;
  hasQuit: boolean;
  /** A command that was run with `+` failed. */
  status: number;
  /** What is left to be done at the end: commands that are run with all files. */
  readonly atEnd: (() => Task)[];
}

/** What a predicate can ask for. */
export interface PredicateReader {
  readonly os: Os;
  readonly search: Search;
  /** The next word. @throws FindComplaint when there is none. */
  operand(predicate: string): string;
  /** Words up to `;` or `+`, which is told. */
  command(predicate: string): { readonly words: readonly string[]; readonly isOfAll: boolean };
}

export class FindComplaint extends Error {}

export function plain(test: (found: Found) => boolean): Test {
  return function* (found) {
    return test(found);
  };
}
