import type { Figure } from '../figures.js';
import { type InC, scanInC } from './scan-in-c.js';
import {
  type Bitmap,
  byBigInt,
  byByte,
  byMask,
  bySigned,
  byUnsigned,
  countByTable,
  countInWebAssembly,
  countOurs,
  DEVICE,
  GROUP,
  inWebAssembly,
  ours,
  runOf32,
  runOf32InWebAssembly,
} from './scan-ways.js';

/** What is looked for in a bitmap, in several ways: a free block at its end, how many are free, 32 in a row. */
export function scanFigures(): Figure[] {
  const c = scanInC();
  const none = c === undefined ? [{ name: 'no C compiler is installed', value: 0, unit: '' }] : [];
  return [...none, ...[GROUP, DEVICE].flatMap((bitmap, i) => figuresOf(bitmap, c?.[i]))];
}

function figuresOf(bitmap: Bitmap, c: InC | undefined): Figure[] {
  // What the bars are for: one resource group.
  const isGroup = bitmap === GROUP;
  const found = ours(bitmap);
  const wasm = inWebAssembly(bitmap);
  return [
    gigabytes(bitmap, 'a free block: JavaScript, bytes and shifts', byByte(bitmap)),
    gigabytes(bitmap, 'JavaScript, bytes and a mask', byMask(bitmap)),
    gigabytes(bitmap, 'JavaScript, words of 64 bits as BigInt', byBigInt(bitmap)),
    gigabytes(bitmap, 'JavaScript, Uint32Array', byUnsigned(bitmap)),
    gigabytes(bitmap, 'JavaScript, Int32Array', bySigned(bitmap)),
    gigabytes(bitmap, 'JavaScript, four words a step: ours', found),
    gigabytes(bitmap, 'Wasm, vectors of 128 bits', wasm),
    gigabytes(bitmap, 'C -O2, bytes and shifts', c?.byByte),
    gigabytes(bitmap, 'C -O2, words of 64 bits', c?.byWord),
    beside('ours beside C', found, c?.byWord, isGroup ? 0.4 : undefined),
    beside('Wasm beside C', wasm, c?.byWord, isGroup ? 1 : undefined),
    ...countFigures(bitmap, c),
    ...runFigures(bitmap, c),
  ].filter((figure) => figure !== undefined);
}

function countFigures(bitmap: Bitmap, c: InC | undefined): (Figure | undefined)[] {
  const counted = countOurs(bitmap);
  const wasm = countInWebAssembly(bitmap);
  return [
    gigabytes(bitmap, 'free ones counted: JavaScript, a table', countByTable(bitmap)),
    gigabytes(bitmap, 'JavaScript, all four states: ours', counted),
    gigabytes(bitmap, 'Wasm, all four states', wasm),
    gigabytes(bitmap, 'C -O2, free ones alone', c?.countFree),
    gigabytes(bitmap, 'C -O2, all four states', c?.countStates),
    beside('ours beside C, free ones alone', counted, c?.countFree),
    beside('ours beside C, all four states', counted, c?.countStates),
    beside('Wasm beside C, free ones alone', wasm, c?.countFree),
    beside('Wasm beside C, all four states', wasm, c?.countStates),
  ];
}

function runFigures(bitmap: Bitmap, c: InC | undefined): (Figure | undefined)[] {
  const run = runOf32(bitmap);
  const wasm = runOf32InWebAssembly(bitmap);
  return [
    gigabytes(bitmap, '32 in a row, 85 % full: JavaScript', run),
    gigabytes(bitmap, 'Wasm, vectors of 128 bits', wasm),
    gigabytes(bitmap, 'C -O2', c?.run),
    beside('JavaScript beside C', run, c?.run),
    beside('Wasm beside C', wasm, c?.run),
  ];
}

function gigabytes(bitmap: Bitmap, name: string, value: number | undefined): Figure | undefined {
  return value === undefined ? undefined : { name: `${name}, ${bitmap.name}`, value, unit: 'GB/s' };
}

function beside(name: string, value: number | undefined, c: number | undefined, atLeast?: number): Figure | undefined {
  if (value === undefined || c === undefined) return undefined;
  return { name, value: value / c, unit: 'of it', ...(atLeast !== undefined && { bar: { atLeast } }) };
}
