import type { ConfElement } from './element.js';
import { parseXml, type XmlDocument } from './xml.js';

/** An element that is put into a document, with all that is in it. */
export interface NewElement {
  readonly name: string;
  readonly attributes?: ReadonlyMap<string, string>;
  readonly children?: readonly NewElement[];
}

/**
 * A `cluster.conf` that is changed as a text: comments, order and indentation of what is not touched stay.
 *
 * A change gives a new document with elements of its own; those of the old one are not known to it.
 */
export class EditableConf {
  readonly text: string;
  readonly #file: string;
  readonly #document: XmlDocument;

  /** @throws {ConfigError} when the text is not well-formed. */
  constructor(text: string, file: string = 'cluster.conf') {
    this.text = text;
    this.#file = file;
    this.#document = parseXml(text, file);
  }

  get root(): ConfElement {
    return this.#document.root;
  }

  /** The first element below the root by the names that lead to it; undefined if there is none. */
  find(...path: readonly string[]): ConfElement | undefined {
    let at: ConfElement | undefined = this.root;
    for (const name of path) at = at?.children.find((child) => child.name === name);
    return at;
  }

  /** With that element below the root, and those that lead to it. */
  withSection(...path: readonly string[]): EditableConf {
    if (this.find(...path) !== undefined) return this;
    const [name, ...above] = [...path].reverse();
    const conf = this.withSection(...above.reverse());
    return conf.withChild(conf.find(...above)!, { name: name! });
  }

  /** With one attribute set, or taken away without a value. */
  withAttribute(element: ConfElement, name: string, value: string | undefined): EditableConf {
    const { start, startTagEnd } = this.#document.spanOf(element);
    const tag = this.text.slice(start, startTagEnd);
    if (element.attributes.has(name)) return this.#replaced(start, startTagEnd, withValue(tag, name, value));
    if (value === undefined) return this;
    const changed = tag.replace(/\s*\/?>$/, (end) => ` ${attributeText(name, value)}${end}`);
    return this.#replaced(start, startTagEnd, changed);
  }

  /** With these attributes and no others, but for those that are `kept`. */
  withAttributes(
    element: ConfElement,
    wanted: ReadonlyMap<string, string>,
    kept: readonly string[] = [],
  ): EditableConf {
    const path = this.#pathTo(element);
    let conf: EditableConf = this;
    for (const name of element.attributes.keys()) {
      if (!wanted.has(name) && !kept.includes(name)) conf = conf.withAttribute(conf.#at(path), name, undefined);
    }
    for (const [name, value] of wanted) conf = conf.withAttribute(conf.#at(path), name, value);
    return conf;
  }

  /** With a new last child. */
  withChild(parent: ConfElement, child: NewElement): EditableConf {
    const { start, startTagEnd, endTagStart, end } = this.#document.spanOf(parent);
    const own = indentationAt(this.text, start);
    const isEmptyTag = endTagStart === end;
    const isInLine = parent !== this.root && this.#isInLine();
    if (isEmptyTag) {
      const tag = this.text.slice(start, startTagEnd).replace(/\s*\/>$/, '>');
      const content = isInLine ? rendered(child) : `\n${this.#rendered(child, own + this.#unit)}\n${own}`;
      return this.#replaced(start, end, `${tag}${content}</${parent.name}>`);
    }
    const at = startTagEnd + this.text.slice(startTagEnd, endTagStart).trimEnd().length;
    const first = parent.children[0];
    if (first === undefined ? isInLine : !this.#beginsLine(first)) return this.#replaced(at, at, rendered(child));
    const indentation =
      first === undefined ? own + this.#unit : indentationAt(this.text, this.#document.spanOf(first).start);
    const closing = this.text.slice(at, endTagStart).includes('\n') ? '' : `\n${own}`;
    return this.#replaced(at, closing === '' ? at : endTagStart, `\n${this.#rendered(child, indentation)}${closing}`);
  }

  /** Without an element, and without the line when it has one of its own. */
  without(element: ConfElement): EditableConf {
    const { start, end } = this.#document.spanOf(element);
    const [rest = ''] = /^[\t ]*\r?\n?/.exec(this.text.slice(end)) ?? [];
    const isAlone = this.#beginsLine(element) && rest.endsWith('\n');
    if (!isAlone) return this.#replaced(start, end, '');
    return this.#replaced(start - indentationAt(this.text, start).length, end + rest.length, '');
  }

  /** Indices of children from the root on. */
  #pathTo(element: ConfElement): readonly number[] {
    const search = (at: ConfElement): readonly number[] | undefined => {
      if (at === element) return [];
      for (const [i, child] of at.children.entries()) {
        const found = search(child);
        if (found !== undefined) return [i, ...found];
      }
      return undefined;
    };
    const path = search(this.root);
    if (path === undefined) throw new RangeError(`<${element.name}> is not of this document`);
    return path;
  }

  #at(path: readonly number[]): ConfElement {
    return path.reduce<ConfElement>((element, i) => element.children[i]!, this.root);
  }

  #replaced(start: number, end: number, by: string): EditableConf {
    return new EditableConf(this.text.slice(0, start) + by + this.text.slice(end), this.#file);
  }

  #beginsLine(element: ConfElement): boolean {
    const { start } = this.#document.spanOf(element);
    const before = start - indentationAt(this.text, start).length;
    return before > 0 && this.text[before - 1] === '\n';
  }

  /** The whole document stands in one line, as far as one sees. */
  #isInLine(): boolean {
    const [first] = this.root.children;
    return first !== undefined && !this.#beginsLine(first);
  }

  /** What one level is indented by. */
  get #unit(): string {
    const [first] = this.root.children;
    if (first === undefined || !this.#beginsLine(first)) return '  ';
    const own = indentationAt(this.text, this.#document.spanOf(this.root).start);
    return indentationAt(this.text, this.#document.spanOf(first).start).slice(own.length) || '  ';
  }

  #rendered(element: NewElement, indentation: string): string {
    const { name, children = [] } = element;
    if (children.length === 0) return indentation + rendered(element);
    const inside = children.map((child) => this.#rendered(child, indentation + this.#unit));
    return `${indentation}<${name}${attributesOf(element)}>\n${inside.join('\n')}\n${indentation}</${name}>`;
  }
}

/** In one line. */
function rendered(element: NewElement): string {
  const { name, children = [] } = element;
  const start = `<${name}${attributesOf(element)}`;
  return children.length === 0 ? `${start}/>` : `${start}>${children.map(rendered).join('')}</${name}>`;
}

function attributesOf({ attributes = new Map() }: NewElement): string {
  return [...attributes].map(([name, value]) => ` ${attributeText(name, value)}`).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

function attributeText(name: string, value: string): string {
  return `${name}="${value.replace(/[&<"\t\n\r]/g, (character) => ENTITIES[character]!)}"`;
}

/** A start tag whose attribute has another value, or none. */
function withValue(tag: string, name: string, value: string | undefined): string {
  // A value may look like an attribute.
  const masked = tag.replace(/"[^"]*"|'[^']*'/g, (quoted) => `"${'_'.repeat(quoted.length - 2)}"`);
  const pattern = new RegExp(`(\\s+)${name.replace(/[.-]/g, '\\$&')}\\s*=\\s*"_*"`);
  const { 0: found, 1: blanks, index } = pattern.exec(masked)!;
  const written = value === undefined ? '' : `${blanks}${attributeText(name, value)}`;
  return tag.slice(0, index) + written + tag.slice(index + found.length);
}

/** Blanks before an offset, back to the beginning of its line or to something else. */
function indentationAt(text: string, offset: number): string {
  return /[\t ]*$/.exec(text.slice(0, offset))![0];
}
