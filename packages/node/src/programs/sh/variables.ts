import { ExpansionComplaint } from './script.js';

/** A text is an array with an element 0 and nothing else. */
interface Variable {
  kind: 'text' | 'indexed' | 'associative';
  readonly elements: Map<string, string>;
  isReadonly: boolean;
}

/** What a variable was, to be put back. */
export type Hidden = Variable | undefined;

/** The variables of a shell: texts, arrays by number, and arrays by word. Keys are texts: `0`, `1` and so on. */
export class Variables {
  readonly #all = new Map<string, Variable>();

  /** The text, or an element of an array; undefined when there is none. */
  get(name: string, key = '0'): string | undefined {
    return this.#all.get(name)?.elements.get(key);
  }

  /** @throws ExpansionComplaint when it is read-only. */
  set(name: string, value: string, key?: string): void {
    const variable = this.#writable(name);
    if (key !== undefined && variable.kind === 'text') variable.kind = 'indexed';
    variable.elements.set(key ?? '0', value);
  }

  /** @throws ExpansionComplaint when it is read-only. */
  delete(name: string, key?: string): void {
    if (!this.#all.has(name)) return;
    const { elements } = this.#writable(name);
    if (key === undefined) this.#all.delete(name);
    else elements.delete(key);
  }

  /** From now on it is an array; what it has stays. */
  declare(name: string, kind: 'indexed' | 'associative'): void {
    const variable = this.#writable(name);
    if (variable.kind === 'text') variable.kind = kind;
  }

  /** Has nothing any more. */
  empty(name: string): void {
    this.#writable(name).elements.clear();
  }

  protect(name: string): void {
    this.#writable(name).isReadonly = true;
  }

  isReadonly(name: string): boolean {
    return this.#all.get(name)?.isReadonly === true;
  }

  kindOf(name: string): Variable['kind'] | undefined {
    return this.#all.get(name)?.kind;
  }

  /** Keys and values, by number or in the order in which they were set. */
  elements(name: string): readonly (readonly [string, string])[] {
    const variable = this.#all.get(name);
    if (variable === undefined) return [];
    const elements = [...variable.elements];
    return variable.kind === 'indexed' ? elements.sort(([a], [b]) => Number(a) - Number(b)) : elements;
  }

  /** Where the next element of an array comes. */
  nextIndex(name: string): number {
    const last = this.elements(name).at(-1);
    return last === undefined ? 0 : Number(last[0]) + 1;
  }

  /** Sorted. */
  names(): readonly string[] {
    return [...this.#all.keys()].sort();
  }

  /** What it is, to be put back. */
  save(name: string): Hidden {
    const variable = this.#all.get(name);
    return variable && { ...variable, elements: new Map(variable.elements) };
  }

  putBack(name: string, hidden: Hidden): void {
    if (hidden === undefined) this.#all.delete(name);
    else this.#all.set(name, hidden);
  }

  copy(): Variables {
    const copy = new Variables();
    for (const [name, { kind, elements, isReadonly }] of this.#all) {
      copy.#all.set(name, { kind, elements: new Map(elements), isReadonly });
    }
    return copy;
  }

  #writable(name: string): Variable {
    const found = this.#all.get(name) ?? { kind: 'text', elements: new Map(), isReadonly: false };
    if (found.isReadonly) throw new ExpansionComplaint(`${name}: readonly variable`);
    this.#all.set(name, found);
    return found;
  }
}
