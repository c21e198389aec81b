import { countStates, findFree } from '@quorate/gfs2/allocator';
import { findRun } from './find-run.js';
import { module } from './module.js';

/** The searches in one bitmap. Pair `p` of it is bits `2 (p & 15)` of word `p >> 4`. */
export interface BitmapSearch {
  readonly isWasm: boolean;
  /** The bitmap. */
  readonly words: Int32Array;
  /** First pair in [from, to) that is free; `to` when there is none. */
  readonly findFree: (from: number, to: number) => number;
  /** First pair of the first run of `length` free ones in [from, to), 31 or more; `to` when there is none. */
  readonly findRun: (from: number, to: number, length: number) => number;
  /** How many pairs of [from, to) are in each state; adds to `counts`. */
  readonly countStates: (from: number, to: number, counts: [number, number, number, number]) => void;
}

/** For a bitmap of so many bytes, a multiple of 4, at first all free. JavaScript searches where an engine refuses the module. */
export function newBitmapSearch(bytes: number, engine: Engine | undefined = globalThis.WebAssembly): BitmapSearch {
  const wasm = exportsOf(engine);
  return wasm === undefined ? inJavaScript(new Int32Array(bytes / 4)) : inWasm(wasm, bytes);
}

/** What is used of an engine. */
export interface Engine extends Pick<typeof WebAssembly, 'validate' | 'Instance' | 'CompileError'> {
  readonly Module: new (code: BufferSource) => WebAssembly.Module;
}

/** What the module has; the places are those of assembly/search.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  findFree(from: number, to: number): number;
  findRun(from: number, to: number, length: number): number;
  countStates(from: number, to: number): void;
}

const BITMAP = 64;
const PAGE = 65_536;

/** Undefined without an engine, vectors or permission: a page whose policy forbids the module gets a CompileError. */
function exportsOf(engine: Engine | undefined): Exports | undefined {
  const code = Uint8Array.from(atob(module), (character) => character.charCodeAt(0));
  if (engine?.validate(code) !== true) return undefined;
  try {
    return new engine.Instance(new engine.Module(code)).exports as unknown as Exports;
  } catch (error) {
    if (error instanceof engine.CompileError) return undefined;
    throw error;
  }
}

function inWasm({ memory, findFree, findRun, countStates }: Exports, bytes: number): BitmapSearch {
  memory.grow(Math.ceil((BITMAP + bytes) / PAGE) - memory.buffer.byteLength / PAGE);
  const words = new Int32Array(memory.buffer, BITMAP, bytes / 4);
  const sums = new Int32Array(memory.buffer, 0, 4);
  return {
    isWasm: true,
    words,
    findFree,
    findRun,
    countStates: (from, to, counts) => {
      countStates(from, to);
      for (let state = 0; state < 4; state++) counts[state]! += sums[state]!;
    },
  };
}

function inJavaScript(words: Int32Array): BitmapSearch {
  return {
    isWasm: false,
    words,
    findFree: (from, to) => findFree(words, from, to),
    findRun: (from, to, length) => findRun(words, from, to, length),
    countStates: (from, to, counts) => countStates(words, from, to, counts),
  };
}
