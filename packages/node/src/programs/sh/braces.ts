import type { Part, Word } from './script.js';

/** A character that is not quoted, or a part as a whole. */
type Atom = string | Part;

/** Steps from one end of a range to the other at most: bash would go on until its memory is used up. */
const RANGE_MAX = 10_000;

/** The words that `a{b,c}d` and `{1..5}` stand for; the word itself when there are no braces. */
export function withoutBraces(word: Word): readonly Word[] {
  const hasBrace = word.some((part) => part.kind === 'text' && !part.isQuoted && part.text.includes('{'));
  return hasBrace ? expanded(atomsOf(word)).map(wordOf) : [word];
}

function atomsOf(word: Word): readonly Atom[] {
  return word.flatMap((part): readonly Atom[] => (part.kind === 'text' && !part.isQuoted ? [...part.text] : [part]));
}

function wordOf(atoms: readonly Atom[]): Word {
  const word: Part[] = [];
  for (const atom of atoms) {
    const last = word.at(-1);
    if (typeof atom !== 'string') word.push(atom);
    else if (last?.kind === 'text' && !last.isQuoted) word[word.length - 1] = { ...last, text: last.text + atom };
    else word.push({ kind: 'text', text: atom, isQuoted: false });
  }
  return word;
}

function expanded(atoms: readonly Atom[]): readonly (readonly Atom[])[] {
  for (let start = atoms.indexOf('{'); start >= 0; start = atoms.indexOf('{', start + 1)) {
    const end = closingBrace(atoms, start);
    if (end < 0) continue;
    const choices = choicesOf(atoms.slice(start + 1, end));
    if (choices === undefined) continue;
    const before = atoms.slice(0, start);
    const after = expanded(atoms.slice(end + 1));
    return choices.flatMap((choice) => after.map((rest) => [...before, ...choice, ...rest]));
  }
  return [atoms];
}

function closingBrace(atoms: readonly Atom[], start: number): number {
  let depth = 0;
  for (let i = start; i < atoms.length; i++) {
    if (atoms[i] === '{') depth += 1;
    else if (atoms[i] === '}') depth -= 1;
    if (depth === 0) return i;
  }
  return -1;
}

/** Undefined when there is neither a comma nor a range between the braces. */
function choicesOf(inside: readonly Atom[]): readonly (readonly Atom[])[] | undefined {
  const choices: Atom[][] = [[]];
  let depth = 0;
  for (const atom of inside) {
    if (atom === '{') depth += 1;
    if (atom === '}') depth -= 1;
    if (atom === ',' && depth === 0) choices.push([]);
    else choices.at(-1)!.push(atom);
  }
  if (choices.length > 1) return choices.flatMap(expanded);
  if (inside.some((atom) => typeof atom !== 'string')) return undefined;
  return rangeOf(inside.join(''))?.map((text) => [...text]);
}

/** `1..5`, `01..10` with zeros in front, `a..e`, and a step behind further dots. */
function rangeOf(text: string): readonly string[] | undefined {
  const [, first, last, given] = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const isOfLetters = /[A-Za-z]/.test(first);
  if (isOfLetters !== /[A-Za-z]/.test(last)) return undefined;
  const numberOf = (end: string): number => (isOfLetters ? end.charCodeAt(0) : Number(end));
  const [from, to] = [numberOf(first), numberOf(last)];
  const step = Math.abs(Number(given ?? 1)) || 1;
  const count = Math.floor(Math.abs(to - from) / step) + 1;
  if (count > RANGE_MAX) return undefined;
  const width = [first, last].some((end) => /^-?0\d/.test(end)) ? Math.max(first.length, last.length) : 0;
  return Array.from({ length: count }, (_, i) => {
    const value = from + Math.sign(to - from) * step * i;
    if (isOfLetters) return String.fromCharCode(value);
    const digits = String(Math.abs(value));
    return value < 0 ? `-${digits.padStart(width - 1, '0')}` : digits.padStart(width, '0');
  });
}
