import type { ConfElement, EditableConf } from '@quorate/cluster-conf';
import { CcsComplaint } from './complaint.js';
import type { CcsOptions } from './options.js';

/** A file that was changed, and what is said of it. */
interface Edited {
  readonly conf: EditableConf;
  readonly said?: string;
}

/** A change of a cluster.conf. @throws CcsComplaint when it cannot be made. */
export type ConfEdit = (conf: EditableConf, words: readonly string[], options: CcsOptions) => Edited;

/** Lines about a cluster.conf. @throws CcsComplaint when what is asked for is not there. */
export type ConfListing = (conf: EditableConf, words: readonly string[]) => readonly string[];

/** The operands of an option, which are named for the complaint that one is missing. */
export function operandsOf(words: readonly string[], option: string, ...names: readonly string[]): readonly string[] {
  if (words.length >= names.length) return words;
  throw new CcsComplaint(`${option} needs ${names.map((name) => `<${name}>`).join(' ')}`, 2);
}

/** `NAME=VALUE` words as attributes. New elements have them in the order of their names, as the original writes them. */
export function attributesIn(
  words: readonly string[],
  fixed: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const given = new Map(Object.entries(fixed));
  for (const word of words) {
    const [, name, value] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(word) ?? [];
    if (name === undefined) throw new CcsComplaint(`${word}: expected name=value`, 2);
    given.set(name, value!);
  }
  return new Map([...given].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `a=1, b=2` without the attributes that are left out. */
export function attributeList({ attributes }: ConfElement, ...leftOut: readonly string[]): string {
  return [...attributes]
    .filter(([name]) => !leftOut.includes(name))
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** `NAME: a=1, b=2`. */
export function namedLine(element: ConfElement): string {
  return `${element.attributes.get('name') ?? ''}: ${attributeList(element, 'name')}`;
}

export function childrenOf(parent: ConfElement | undefined, name: string): readonly ConfElement[] {
  return parent?.children.filter((child) => child.name === name) ?? [];
}

/** The child of that kind with that name; undefined if there is none. */
export function named(parent: ConfElement | undefined, kind: string, name: string): ConfElement | undefined {
  return childrenOf(parent, kind).find((child) => child.attributes.get('name') === name);
}

/** The child of that kind with that name. `what` is how it is called in the complaint that there is none. */
export function needNamed(parent: ConfElement | undefined, kind: string, name: string, what: string): ConfElement {
  const found = named(parent, kind, name);
  if (found !== undefined) return found;
  throw new CcsComplaint(`Unable to find ${what} ${name}.`);
}

/** Elements whose attributes include all of these. */
export function matching(
  elements: readonly ConfElement[],
  wanted: ReadonlyMap<string, string>,
): readonly ConfElement[] {
  return elements.filter(({ attributes }) => [...wanted].every(([name, value]) => attributes.get(name) === value));
}

/** Takes away the children of a section that `isGone` tells; undefined when there is none. */
export function withoutChildren(
  conf: EditableConf,
  sectionOf: (conf: EditableConf) => ConfElement | undefined,
  isGone: (child: ConfElement) => boolean,
): EditableConf | undefined {
  let left: EditableConf | undefined;
  for (let now = conf; ; ) {
    const gone = sectionOf(now)?.children.find(isGone);
    if (gone === undefined) return left;
    now = now.without(gone);
    left = now;
  }
}
