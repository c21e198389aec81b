import { ConfigError } from '@quorate/kernel';
import { SaxesParser } from 'saxes';
import type { ConfElement } from './element.js';

/** A document taken apart, with the lines of its attributes. */
export interface XmlDocument {
  readonly root: ConfElement;
  /** Line on which the attribute ends, from 1; that of the element if it has no such attribute. */
  lineOf(element: ConfElement, attribute: string): number;
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
export function parseXml(text: string): XmlDocument {
  const tree = new TreeBuilder();
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw tree.malformed(error.message, parser.line, text);
  });
  parser.on('opentagstart', ({ name }) => {
    if (tree.depth === DEPTH_MAX) throw tree.malformed(`more than ${DEPTH_MAX} elements deep`, parser.line, text);
    tree.open(name, parser.line);
  });
  parser.on('attribute', ({ name, value }) => tree.attribute(name, value, parser.line));
  parser.on('text', (data) => tree.text(data));
  parser.on('cdata', (data) => tree.text(data));
  parser.on('closetag', () => tree.close());
  parser.write(text).close();
  if (tree.root === undefined) throw tree.malformed('document must contain a root element', 1, text);
  return { root: tree.root, lineOf: (element, attribute) => tree.lineOf(element, attribute) };
}

class TreeBuilder {
  readonly #open: OpenElement[] = [];
  readonly #lines = new Map<ConfElement, Map<string, number>>();
  #closed: OpenElement | undefined;
  #root: ConfElement | undefined;

  get root(): ConfElement | undefined {
    return this.#root;
  }

  get depth(): number {
    return this.#open.length;
  }

  open(name: string, line: number): void {
    const element = { name, attributes: new Map(), children: [], text: '', line };
    this.#open.push(element);
    this.#lines.set(element, new Map());
  }

  attribute(name: string, value: string, line: number): void {
    const element = this.#open.at(-1);
    if (element === undefined) return;
    element.attributes.set(name, value);
    this.#lines.get(element)?.set(name, line);
  }

  text(data: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined) element.text += data;
  }

  close(): void {
    const element = this.#open.pop();
    if (element === undefined) return;
    element.text = element.text.trim();
    this.#closed = element;
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
  }

  lineOf(element: ConfElement, attribute: string): number {
    return this.#lines.get(element)?.get(attribute) ?? element.line;
  }

  malformed(message: string, line: number, text: string): ConfigError {
    const rule = message.replace(/^\d+:\d+: /, '').replace(/\.$/, '');
    // The parser closes an element first and complains afterwards that it was another one's end tag.
    if (rule === 'unexpected close tag' && this.#closed !== undefined) this.#open.push(this.#closed);
    const path = `/${this.#open.map((element) => element.name).join('/')}`;
    const found = (text.split(/\r\n|\r|\n/)[line - 1] ?? '').trim().slice(0, 60);
    const innermost = this.#open.at(-1);
    const isEndTagMissing = /^(unexpected close tag|unclosed tag)/.test(rule) && innermost !== undefined;
    return new ConfigError(
      path,
      found,
      isEndTagMissing ? `</${innermost.name}> first` : `well-formed XML (${rule})`,
      line,
    );
  }
}
