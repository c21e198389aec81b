import { BLKST, countStates, findFree } from '../packages/gfs2/src/bitmap.js';

/**
 * The search for a free block in a bitmap and the count of them, `findFree` and `countStates` of @quorate/gfs2/allocator, once
 * more: in WebAssembly with vectors of 128 bits, and in JavaScript where an engine refuses that.
 *
 * For whole devices: a bitmap has to lie in the memory of the module, and for one resource group copying it there costs as much
 * as the search. The module is assembled here, from the instructions below: nobody needs a compiler for so few lines.
 */
export interface WordSearch {
  readonly isWasm: boolean;
  /** The bitmap. Pair `p` is bits `2 (p & 15)` of word `p >> 4`. */
  readonly words: Int32Array;
  /** First pair in [from, to) that is free; `to` when there is none. */
  readonly find: (from: number, to: number) => number;
  /** How many pairs of all are free. */
  readonly countFree: () => number;
}

/** A search in a bitmap of so many bytes, a multiple of 16, at first all free; without an engine, the one in JavaScript. */
export function newSearch(bytes: number, engine: typeof WebAssembly | undefined = globalThis.WebAssembly): WordSearch {
  const code = moduleOf(Math.ceil(bytes / PAGE));
  if (engine?.validate(code) !== true) {
    const words = new Int32Array(bytes / 4);
    return { isWasm: false, words, find: (from, to) => findFree(words, from, to), countFree: () => countFree(words) };
  }
  const { memory, find, count } = new engine.Instance(new engine.Module(code)).exports as unknown as Exports;
  return { isWasm: true, words: new Int32Array(memory.buffer, 0, bytes / 4), find, countFree: () => count(bytes) };
}

function countFree(words: Int32Array): number {
  const counts: [number, number, number, number] = [0, 0, 0, 0];
  countStates(words, 0, 16 * words.length, counts);
  return counts[BLKST.FREE];
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  find(from: number, to: number): number;
  /** Free pairs in the first `bytes` bytes. */
  count(bytes: number): number;
}

const PAGE = 65_536;

// Instructions and types by their names in the WebAssembly specification.
const I32 = 0x7f;
const V128 = 0x7b;
const BLOCK = [0x02, 0x40];
const LOOP = [0x03, 0x40];
const IF = [0x04, 0x40];
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const RETURN = 0x0f;
const SELECT = 0x1b;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const I32_LOAD = [0x28, 2, 0];
const I32_CONST = 0x41;
const I32_LT_S = 0x48;
const I32_GT_S = 0x4a;
const I32_GE_S = 0x4e;
const I32_CTZ = 0x68;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_AND = 0x71;
const I32_OR = 0x72;
const I32_XOR = 0x73;
const I32_SHL = 0x74;
const I32_SHR_S = 0x75;
const I32_SHR_U = 0x76;
const V128_CONST = [0xfd, 12];
const V128_NOT = [0xfd, 77];
const V128_AND = [0xfd, 78];
const V128_OR = [0xfd, 80];
const V128_XOR = [0xfd, 81];
const V128_ANY_TRUE = [0xfd, 83];
const I8X16_POPCNT = [0xfd, 98];
const I16X8_EXTADD_PAIRWISE_U = [0xfd, 125];
const I32X4_EXTADD_PAIRWISE_U = [0xfd, 127];
const I32X4_SHR_U = [0xfd, 0xad, 0x01];
const I32X4_ADD = [0xfd, 0xae, 0x01];
const i32x4Lane = (lane: number): number[] => [0xfd, 27, lane];
const v128Load = (offset: number): number[] => [0xfd, 0, 4, offset];

// Parameters and variables.
const FROM = 0;
const TO = 1;
const WORD = 2;
const LAST = 3;
const HITS = 4;
const VECTOR = 5;

const get = (local: number): number[] => [LOCAL_GET, local];
const set = (local: number): number[] => [LOCAL_SET, local];
const tee = (local: number): number[] => [LOCAL_TEE, local];
/** From -64 to 63. */
const constant = (value: number): number[] => [I32_CONST, value & 0x7f];

/** The low bit of each pair. */
const LOW = [I32_CONST, 0xd5, 0xaa, 0xd5, 0xaa, 0x05];
const LOW_VECTOR = [...V128_CONST, ...Array.from({ length: 16 }, () => 0x55)];

const nextWord = (words: number): number[] => [...get(WORD), ...constant(words), I32_ADD, ...set(WORD)];

/** The low bit of each pair of the word that is free: neither of its bits is set. */
const freeOfWord = [
  ...[...get(WORD), ...constant(2), I32_SHL, ...I32_LOAD, ...tee(HITS), ...get(HITS), ...constant(1), I32_SHR_U],
  ...[I32_OR, ...constant(-1), I32_XOR, ...LOW, I32_AND],
];

/** The low bit of each pair of a vector behind the word that is taken, and other bits. */
const takenOfVector = (offset: number): number[] => [
  ...[...get(WORD), ...constant(2), I32_SHL, ...v128Load(offset), ...tee(VECTOR)],
  ...[...get(VECTOR), ...constant(1), ...I32X4_SHR_U, ...V128_OR],
];

const FIND = [
  ...[...get(FROM), ...get(TO), I32_GE_S, ...IF, ...get(TO), RETURN, END],
  ...[...get(FROM), ...constant(4), I32_SHR_S, ...set(WORD)],
  ...[...get(TO), ...constant(1), I32_SUB, ...constant(4), I32_SHR_S, ...set(LAST)],
  ...BLOCK,
  // The first word, from its pair on.
  ...[
    ...freeOfWord,
    ...constant(-1),
    ...get(FROM),
    ...constant(15),
    I32_AND,
    ...constant(1),
    I32_SHL,
    I32_SHL,
    I32_AND,
  ],
  ...[...tee(HITS), BR_IF, 0, ...nextWord(1)],
  // Sixteen words at a time, as long as all of their pairs are taken.
  ...[...BLOCK, ...LOOP],
  ...[...get(WORD), ...constant(15), I32_ADD, ...get(LAST), I32_GT_S, BR_IF, 1],
  ...[...takenOfVector(0), ...takenOfVector(16), ...V128_AND, ...takenOfVector(32), ...V128_AND],
  ...[...takenOfVector(48), ...V128_AND, ...LOW_VECTOR, ...V128_AND, ...LOW_VECTOR, ...V128_XOR, ...V128_ANY_TRUE],
  ...[BR_IF, 1, ...nextWord(16), BR, 0, END, END],
  // What is left, and the sixteen where the hit is, word by word.
  ...LOOP,
  ...[...get(WORD), ...get(LAST), I32_GT_S, ...IF, ...get(TO), RETURN, END],
  ...[...freeOfWord, ...tee(HITS), BR_IF, 1, ...nextWord(1), BR, 0, END],
  END,
  // The pair of the lowest hit, if it is before the end.
  ...[...get(WORD), ...constant(4), I32_SHL, ...get(HITS), I32_CTZ, ...constant(1), I32_SHR_U, I32_ADD, ...tee(FROM)],
  ...[...get(TO), ...get(FROM), ...get(TO), I32_LT_S, SELECT, END],
];

// Parameters and variables of `count`.
const BYTES = 0;
const AT = 1;
const SUMS = 2;
const LOADED = 3;

const COUNT = [
  ...[...BLOCK, ...LOOP],
  ...[...get(AT), ...get(BYTES), I32_GE_S, BR_IF, 1],
  // Ones in each byte of what `freeOfWord` gives, added up to four sums of 32 bits.
  ...[...get(AT), ...v128Load(0), ...tee(LOADED), ...get(LOADED), ...constant(1), ...I32X4_SHR_U, ...V128_OR],
  ...[...V128_NOT, ...LOW_VECTOR, ...V128_AND, ...I8X16_POPCNT],
  ...[...I16X8_EXTADD_PAIRWISE_U, ...I32X4_EXTADD_PAIRWISE_U, ...get(SUMS), ...I32X4_ADD, ...set(SUMS)],
  ...[...get(AT), ...constant(16), I32_ADD, ...set(AT), BR, 0, END, END],
  ...[...get(SUMS), ...i32x4Lane(0), ...get(SUMS), ...i32x4Lane(1), I32_ADD],
  ...[...get(SUMS), ...i32x4Lane(2), I32_ADD, ...get(SUMS), ...i32x4Lane(3), I32_ADD, END],
];

/** The module: `memory`, of so many pages, `find` and `count`. */
function moduleOf(pages: number): Uint8Array<ArrayBuffer> {
  const find = [2, 3, I32, 1, V128, ...FIND];
  const count = [2, 1, I32, 2, V128, ...COUNT];
  const sections = [
    [1, [2, 0x60, 2, I32, I32, 1, I32, 0x60, 1, I32, 1, I32]],
    [3, [2, 0, 1]],
    [5, [1, 0, ...leb(pages)]],
    [7, [3, ...name('memory'), 2, 0, ...name('find'), 0, 0, ...name('count'), 0, 1]],
    [10, [2, ...leb(find.length), ...find, ...leb(count.length), ...count]],
  ] as const;
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return new Uint8Array([...header, ...sections.flatMap(([id, bytes]) => [id, ...leb(bytes.length), ...bytes])]);
}

function name(text: string): number[] {
  return [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
