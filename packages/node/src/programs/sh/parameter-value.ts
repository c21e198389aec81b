import type { Task } from '@quorate/kernel';
import type { Values } from './expand.js';
import { inOtherCase, replaced, withoutPart } from './parameter.js';
import { ExpansionComplaint, type Operation, type Part, type Word } from './script.js';

/** What a parameter gives: one text, a list (`@`, or `*` that can be joined), or a word that stands for it. */
export type Reference =
  | { readonly kind: 'one' | 'list' | 'star'; readonly list: readonly string[] }
  | { readonly kind: 'word'; readonly word: Word };

/** How the words in an operation on a parameter are expanded. */
export interface Expansion {
  text(word: Word, values: Values): Task<string>;
  pattern(word: Word, values: Values): Task<RegExp>;
}

/** A list as one text. */
export function joined({ kind, list }: Exclude<Reference, { kind: 'word' }>, { separators }: Values): string {
  return list.join(kind === 'star' ? separators.slice(0, 1) : ' ');
}

/** A parameter, before anything is done with its value. */
interface Target {
  readonly name: string;
  readonly subscript: string | undefined;
}

/** The values of a parameter. */
export function* referenceOf(
  part: Extract<Part, { kind: 'variable' | 'parameter' }>,
  values: Values,
  expansion: Expansion,
): Task<Reference> {
  if (part.kind === 'variable') return plain({ name: part.name, subscript: undefined }, values);
  const { operation } = part;
  if (operation.kind === 'names') {
    return { kind: 'list', list: values.names().filter((name) => name.startsWith(part.name)) };
  }
  const given = { name: part.name, subscript: part.subscript && (yield* expansion.text(part.subscript, values)) };
  const target = part.isIndirect ? namedBy(given, values) : given;
  if (operation.kind === 'keys') {
    return { kind: kindOf(target), list: values.elements(target.name).map(([key]) => key) };
  }
  if (operation.kind === 'instead') return yield* instead(target, operation, values, expansion);
  if (operation.kind === 'length') {
    const { kind, list } = plain(target, values);
    return one(String(kind === 'one' ? [...list[0]!].length : list.length));
  }
  if (operation.kind === 'slice') return yield* slice(target, operation, values, expansion);
  const { kind, list } = plain(target, values);
  const changed = yield* changing(operation, values, expansion);
  return { kind, list: list.map(changed) };
}

function one(value: string): Reference {
  return { kind: 'one', list: [value] };
}

function kindOf({ name, subscript }: Target): 'one' | 'list' | 'star' {
  const which = subscript ?? name;
  return which === '@' ? 'list' : which === '*' ? 'star' : 'one';
}

/** The variable that a value names. */
function namedBy(target: Target, values: Values): Target {
  const text = values.lookup(target.name, target.subscript) ?? values.unset(target.name);
  const [, name, subscript] = /^([A-Za-z_]\w*|\d+|[@*#?])(?:\[(.+)\])?$/s.exec(text) ?? [];
  if (name === undefined) throw new ExpansionComplaint(`${text}: invalid variable name`);
  return { name, subscript };
}

function plain(target: Target, values: Values): Exclude<Reference, { kind: 'word' }> {
  const kind = kindOf(target);
  if (kind !== 'one') return { kind, list: listOf(target, values).map(([, value]) => value) };
  return { kind, list: [values.lookup(target.name, target.subscript) ?? values.unset(nameOf(target))] };
}

function nameOf({ name, subscript }: Target): string {
  return subscript === undefined ? name : `${name}[${subscript}]`;
}

/** Keys and values; of `$@` from 1 on. */
function listOf({ name, subscript }: Target, values: Values): readonly (readonly [string, string])[] {
  if (subscript !== undefined) return values.elements(name);
  return values.positional.map((value, i) => [String(i + 1), value]);
}

function* instead(
  target: Target,
  { operator, isEmptyNone, word }: Extract<Operation, { kind: 'instead' }>,
  values: Values,
  expansion: Expansion,
): Task<Reference> {
  const kind = kindOf(target);
  const found = kind === 'one' ? values.lookup(target.name, target.subscript) : undefined;
  const list = kind === 'one' ? (found === undefined ? [] : [found]) : listOf(target, values).map(([, value]) => value);
  const isThere = list.length > 0 && (!isEmptyNone || list.join(' ') !== '');
  if (operator === '+') return isThere ? { kind: 'word', word } : one('');
  if (isThere) return { kind, list };
  if (operator === '-') return { kind: 'word', word };
  const text = yield* expansion.text(word, values);
  if (operator === '?') {
    const none = isEmptyNone ? 'parameter null or not set' : 'parameter not set';
    throw new ExpansionComplaint(`${nameOf(target)}: ${text || none}`, true);
  }
  if (!/^[A-Za-z_]/.test(target.name)) throw new ExpansionComplaint(`$${target.name}: cannot assign in this way`);
  values.assign(target.name, text, target.subscript);
  return one(text);
}

function* slice(
  target: Target,
  { word, length: given }: Extract<Operation, { kind: 'slice' }>,
  values: Values,
  expansion: Expansion,
): Task<Reference> {
  const numberOf = function* (text: Word): Task<number> {
    return Number(values.valueOf(yield* expansion.text(text, values)));
  };
  const [offset, length] = [yield* numberOf(word), given === undefined ? Infinity : yield* numberOf(given)];
  if (length < 0) throw new ExpansionComplaint(`${length}: substring expression < 0`);
  const kind = kindOf(target);
  if (kind === 'one') {
    const characters = [...plain(target, values).list[0]!];
    const start = offset < 0 ? characters.length + offset : offset;
    return one(start < 0 ? '' : characters.slice(start, start + length).join(''));
  }
  const own = listOf(target, values);
  // $0 is the first of the positional parameters here, and only here.
  const list = target.subscript === undefined ? [['0', values.lookup('0') ?? ''] as const, ...own] : own;
  const end = Number(list.at(-1)?.[0] ?? -1) + 1;
  const start = offset < 0 ? end + offset : offset;
  const kept = start < 0 ? [] : list.filter(([key]) => Number(key) >= start);
  return { kind, list: kept.slice(0, length).map(([, value]) => value) };
}

/** What becomes of each value. */
function* changing(operation: Operation, values: Values, expansion: Expansion): Task<(value: string) => string> {
  switch (operation.kind) {
    case 'cut': {
      const pattern = yield* expansion.pattern(operation.word, values);
      return (value) => withoutPart(value, operation.operator, pattern);
    }
    case 'replace': {
      const pattern = yield* expansion.pattern(operation.word, values);
      const by = yield* expansion.text(operation.by, values);
      return (value) => replaced(value, operation.where, pattern, by);
    }
    case 'case': {
      const pattern = yield* expansion.pattern(operation.word, values);
      const isAny = operation.word.every((part) => part.kind === 'text' && part.text === '');
      return (value) => inOtherCase(value, operation.operator, isAny ? /./s : pattern);
    }
    default:
      return (value) => value;
  }
}
