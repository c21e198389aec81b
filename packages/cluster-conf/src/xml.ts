import { ConfigError, type TextPlace } from '@quorate/kernel';
import { SaxesParser } from 'saxes';
import type { ConfElement } from './element.js';
import { SourceText } from './source-text.js';

/** A document taken apart, with the places of its elements and attributes in the text. */
export interface XmlDocument {
  readonly root: ConfElement;
  /** Where the element's start tag begins, or the attribute's name; that of the element if it has no such attribute. */
  placeOf(element: ConfElement, attribute?: string): TextPlace;
  spanOf(element: ConfElement): ElementSpan;
}

/** Where an element lies in the text; offsets in UTF-16 code units from 0. */
export interface ElementSpan {
  /** Of the `<` of its start tag. */
  readonly start: number;
  /** Behind the `>` of its start tag. */
  readonly startTagEnd: number;
  /** Of the `<` of its end tag; that of the whole element when it is `<name/>`. */
  readonly endTagStart: number;
  /** Behind the whole element. */
  readonly end: number;
}

/** libxml2, `xmlParserMaxDepth`: what is nested deeper it refuses too. */
const DEPTH_MAX = 256;

interface OpenElement extends ConfElement {
  readonly attributes: Map<string, string>;
  readonly children: ConfElement[];
  text: string;
}

/**
 * Reads an XML document into elements. Comments and processing instructions are skipped, CDATA is text.
 *
 * @throws {ConfigError} when the text is not well-formed; its path names the innermost element that is open there.
 */
export function parseXml(text: string, file: string): XmlDocument {
  const source = new SourceText(text, file);
  const tree = new TreeBuilder(source);
  const parser = new SaxesParser();
  /** The character that the parser has just read. */
  const here = (): number => Math.max(0, parser.position - 1);
  parser.on('error', (error) => {
    throw tree.malformed(error.message, here());
  });
  parser.on('opentagstart', ({ name }) => {
    const start = source.startOfTag(name, parser.position);
    if (tree.depth === DEPTH_MAX) throw tree.malformed(`more than ${DEPTH_MAX} elements deep`, start);
    tree.open(name, start);
  });
  parser.on('attribute', ({ name, value }) => tree.attribute(name, value));
  parser.on('opentag', () => tree.endStartTag(parser.position));
  parser.on('text', (data) => tree.text(data));
  parser.on('cdata', (data) => tree.text(data));
  parser.on('closetag', ({ isSelfClosing }) => tree.close(parser.position, isSelfClosing));
  parser.write(text).close();
  if (tree.root === undefined) throw tree.malformed('document must contain a root element', 0);
  return {
    root: tree.root,
    placeOf: (element, attribute) => tree.placeOf(element, attribute),
    spanOf: (element) => tree.spanOf(element),
  };
}

class TreeBuilder {
  readonly #source: SourceText;
  readonly #open: OpenElement[] = [];
  readonly #spans = new Map<ConfElement, { -readonly [key in keyof ElementSpan]: number }>();
  #closed: OpenElement | undefined;
  #root: ConfElement | undefined;

  constructor(source: SourceText) {
    this.#source = source;
  }

  get root(): ConfElement | undefined {
    return this.#root;
  }

  get depth(): number {
    return this.#open.length;
  }

  open(name: string, start: number): void {
    const line = this.#source.lineNumberAt(start);
    const element = { name, attributes: new Map(), children: [], text: '', line };
    this.#open.push(element);
    this.#spans.set(element, { start, startTagEnd: start, endTagStart: start, end: start });
  }

  attribute(name: string, value: string): void {
    this.#open.at(-1)?.attributes.set(name, value);
  }

  text(data: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined) element.text += data;
  }

  endStartTag(offset: number): void {
    const element = this.#open.at(-1);
    if (element !== undefined) this.#spans.get(element)!.startTagEnd = offset;
  }

  close(end: number, isSelfClosing: boolean): void {
    const element = this.#open.pop();
    if (element === undefined) return;
    const span = this.#spans.get(element)!;
    span.end = end;
    span.endTagStart = isSelfClosing ? end : this.#source.startOfEndTag(element.name, end);
    element.text = element.text.trim();
    this.#closed = element;
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
  }

  placeOf(element: ConfElement, attribute: string | undefined): TextPlace {
    const start = this.#spans.get(element)?.start ?? 0;
    return this.#source.placeAt(attribute === undefined ? start : this.#source.startOfAttribute(start, attribute));
  }

  spanOf(element: ConfElement): ElementSpan {
    const span = this.#spans.get(element);
    if (span === undefined) throw new RangeError(`<${element.name}> is not of this document`);
    return span;
  }

  malformed(message: string, offset: number): ConfigError {
    const rule = message.replace(/^\d+:\d+: /, '').replace(/\.$/, '');
    // The parser closes an element first and complains afterwards that it was another one's end tag.
    if (rule === 'unexpected close tag' && this.#closed !== undefined) this.#open.push(this.#closed);
    const path = `/${this.#open.map((element) => element.name).join('/')}`;
    const found = this.#source.lineAt(offset).trim().slice(0, 60);
    const innermost = this.#open.at(-1);
    const isEndTagMissing = /^(unexpected close tag|unclosed tag)/.test(rule) && innermost !== undefined;
    const expected = isEndTagMissing ? `</${innermost.name}> first` : `well-formed XML (${rule})`;
    return new ConfigError(path, found, expected, this.#source.placeAt(offset));
  }
}
