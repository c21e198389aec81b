import type { ConfElement } from './element.js';
import { ipv4Octets } from './ipv4-address.js';
import type { Located, Problems } from './problem.js';
import type { XmlDocument } from './xml.js';

/** The daemons read an integer into an `int`. */
const INT_MIN = -0x8000_0000;
const INT_MAX = 0x7fff_ffff;

/**
 * Reads one element of the schema, attribute by attribute and child by child.
 *
 * Whatever was not asked for when `finish` is called is reported as unknown, so that the calls of a section's reader
 * are that section's schema. A bad value is reported and replaced by the default.
 */
export class ElementReader {
  readonly element: ConfElement;
  readonly path: string;
  readonly #document: XmlDocument;
  readonly #problems: Problems;
  /** The element of the document whose place this one's problems have: itself, unless it is not in the text. */
  readonly #anchor: ConfElement;
  readonly #attributes = new Set<string>();
  readonly #children = new Set<string>();

  constructor(
    element: ConfElement,
    path: string,
    document: XmlDocument,
    problems: Problems,
    anchor: ConfElement = element,
  ) {
    this.element = element;
    this.path = path;
    this.#document = document;
    this.#problems = problems;
    this.#anchor = anchor;
  }

  /** The element itself, or one of its attributes. */
  located(attribute?: string): Located {
    const path = attribute === undefined ? this.path : `${this.path}/@${attribute}`;
    return { path, place: this.#document.placeOf(this.#anchor, attribute) };
  }

  error(attribute: string, expected: string): void {
    this.#problems.error(this.located(attribute), this.element.attributes.get(attribute) ?? '', expected);
  }

  /** Reports a value that other elements could make right. */
  conflict(attribute: string, expected: string): void {
    this.#problems.conflict(this.located(attribute), this.element.attributes.get(attribute) ?? '', expected);
  }

  warn(attribute: string, expected: string): void {
    this.#problems.warn(this.located(attribute), this.element.attributes.get(attribute) ?? '', expected);
  }

  /** Reports the element as a whole. */
  errorHere(value: string, expected: string): void {
    this.#problems.error(this.located(), value, expected);
  }

  /** Warns about the element as a whole. */
  warnHere(value: string, expected: string): void {
    this.#problems.warn(this.located(), value, expected);
  }

  optional(name: string): string | undefined {
    this.#attributes.add(name);
    return this.element.attributes.get(name);
  }

  text(name: string, otherwise: string): string {
    return this.optional(name) ?? otherwise;
  }

  /** The attribute's text; empty, and reported, when it is missing or empty. */
  required(name: string, expected: string): string {
    const value = this.optional(name) ?? '';
    if (value === '') this.error(name, expected);
    return value;
  }

  optionalInteger(name: string, least: number = INT_MIN, most: number = INT_MAX): number | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const value = /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const isBounded = least === INT_MIN || most < INT_MAX || value > INT_MAX;
    this.error(name, isBounded ? `an integer from ${least} to ${most}` : `an integer of at least ${least}`);
    return undefined;
  }

  integer(name: string, otherwise: number, least?: number, most?: number): number {
    return this.optionalInteger(name, least, most) ?? otherwise;
  }

  /** An IPv4 address. */
  optionalAddress(name: string): string | undefined {
    const text = this.optional(name);
    if (text === undefined || ipv4Octets(text) !== undefined) return text;
    this.error(name, 'an IPv4 address');
    return undefined;
  }

  /** The IPv4 address of a multicast group. */
  optionalGroup(name: string): string | undefined {
    const text = this.optional(name);
    if (text === undefined || (ipv4Octets(text)?.[0] ?? 0) >> 4 === 14) return text;
    this.error(name, 'an IPv4 multicast address, 224.0.0.0 to 239.255.255.255');
    return undefined;
  }

  /** A switch that the daemons read as an integer. */
  flag(name: string, otherwise: boolean): boolean {
    return this.switch(name, otherwise, ['1'], ['0']);
  }

  /** A switch in words; which words mean yes differs from attribute to attribute. */
  switch(name: string, otherwise: boolean, yes: readonly string[], no: readonly string[]): boolean {
    const text = this.optional(name)?.trim().toLowerCase();
    if (text === undefined) return otherwise;
    if (yes.includes(text)) return true;
    if (no.includes(text)) return false;
    this.error(name, [...yes, ...no].join(' or '));
    return otherwise;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.optional(name);
    const value = values.find((candidate) => candidate === text);
    if (text !== undefined && value === undefined) this.error(name, `one of ${values.join(', ')}`);
    return value;
  }

  /** All attributes that were not asked for so far, in the order of the file: the arguments of an agent. */
  restOfAttributes(): ReadonlyMap<string, string> {
    const rest = new Map<string, string>();
    for (const [name, value] of this.element.attributes) if (!this.#attributes.has(name)) rest.set(name, value);
    for (const name of rest.keys()) this.#attributes.add(name);
    return rest;
  }

  /** Readers of the children of that name, in the order of the file. */
  children(name: string): readonly ElementReader[] {
    this.#children.add(name);
    const found = this.element.children.filter((child) => child.name === name);
    return found.map((child, i) => {
      const path = found.length === 1 ? `${this.path}/${name}` : `${this.path}/${name}[${i + 1}]`;
      return new ElementReader(child, path, this.#document, this.#problems);
    });
  }

  /** Readers of all children, those of one name together. */
  everyChild(): readonly ElementReader[] {
    const names = new Set(this.element.children.map((child) => child.name));
    return [...names].flatMap((name) => this.children(name));
  }

  /** The only child of that name; a second one is an error. */
  child(name: string): ElementReader | undefined {
    const isAskedAgain = this.#children.has(name);
    const [first, second] = this.children(name);
    if (second !== undefined && !isAskedAgain)
      this.#problems.error(second.located(), `<${name}>`, `at most one ${name}`);
    return first;
  }

  /** The only child of that name, or an empty one in its place where all attributes have defaults. */
  section(name: string): ElementReader {
    const empty = { name, attributes: new Map(), children: [], text: '', line: this.element.line };
    const path = `${this.path}/${name}`;
    return this.child(name) ?? new ElementReader(empty, path, this.#document, this.#problems, this.#anchor);
  }

  /** Children of that name as they stand, for those whose schema belongs to somebody else. */
  rawChildren(name: string): readonly ConfElement[] {
    return this.children(name).map((child) => child.element);
  }

  /** Reports what the element has beyond what was asked for. */
  finish(): void {
    this.finishWithText();
    if (this.element.text !== '') this.#problems.error(this.located(), this.element.text, 'no text of its own');
  }

  /** As `finish`, for an element that may have text. */
  finishWithText(): void {
    for (const name of this.element.attributes.keys()) {
      if (!this.#attributes.has(name)) this.error(name, allowed('attribute', this.#attributes));
    }
    for (const child of this.element.children) {
      if (this.#children.has(child.name)) continue;
      const located = { path: `${this.path}/${child.name}`, place: this.#document.placeOf(child) };
      this.#problems.error(located, `<${child.name}>`, allowed('element', this.#children));
    }
  }
}

function allowed(what: string, names: ReadonlySet<string>): string {
  return names.size === 0 ? `no ${what} here` : `one of the ${what}s ${[...names].join(', ')}`;
}
