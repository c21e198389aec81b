import { type ConfigNode, type ConfigValue, findNode } from './config-text.js';

/** Reads the keys of one section and remembers which, so that the rest can be kept. */
export class SectionReader {
  /** Keys from the top on, joined by slashes; empty at the top. */
  readonly path: string;
  readonly key: string;
  readonly #nodes: readonly ConfigNode[];
  readonly #fail: (why: string) => Error;
  readonly #read = new Set<string>();

  /** `fail` makes the error of a key that is missing or has another value than expected. */
  constructor(above: string, key: string, nodes: readonly ConfigNode[], fail: (why: string) => Error) {
    this.path = above === '' ? key : `${above}/${key}`;
    this.key = key;
    this.#nodes = nodes;
    this.#fail = fail;
  }

  fail(why: string): Error {
    return this.#fail(this.path === '' ? why : `${this.path}: ${why}`);
  }

  text(key: string): string {
    const value = this.#value(key);
    if (typeof value === 'string') return value;
    throw this.#unexpected(key, value, 'a string');
  }

  optionalText(key: string): string | undefined {
    return this.#has(key) ? this.text(key) : undefined;
  }

  /** An integer that is not negative. */
  count(key: string, otherwise?: number): number {
    if (otherwise !== undefined && !this.#has(key)) return otherwise;
    const value = this.#value(key);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#unexpected(key, value, 'a whole number');
  }

  optionalCount(key: string): number | undefined {
    return this.#has(key) ? this.count(key) : undefined;
  }

  /** An array of strings; empty when it is not there. */
  texts(key: string): readonly string[] {
    const value = this.#has(key) ? this.#value(key) : [];
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value as readonly string[];
    throw this.#unexpected(key, value, 'an array of strings');
  }

  array(key: string): readonly ConfigValue[] {
    const value = this.#value(key);
    if (typeof value === 'object') return value;
    throw this.#unexpected(key, value, 'an array');
  }

  /** The sections within a section, in their order; none when it is not there. */
  sections(key: string): readonly SectionReader[] {
    if (!this.#has(key)) return [];
    return this.section(key).children();
  }

  section(key: string): SectionReader {
    const node = this.#node(key);
    if (node !== undefined && 'nodes' in node) return this.#below(key, node.nodes);
    throw this.fail(`${key}: ${node === undefined ? 'nothing' : 'a value'}, expected a section`);
  }

  children(): readonly SectionReader[] {
    return this.#nodes.map((node) => {
      if ('nodes' in node) return this.#below(node.key, node.nodes);
      throw this.fail(`${node.key}: a value, expected a section`);
    });
  }

  /** What has not been asked for. */
  rest(): readonly ConfigNode[] {
    return this.#nodes.filter(({ key }) => !this.#read.has(key));
  }

  #below(key: string, nodes: readonly ConfigNode[]): SectionReader {
    return new SectionReader(this.path, key, nodes, this.#fail);
  }

  #has(key: string): boolean {
    return this.#node(key) !== undefined;
  }

  #node(key: string): ConfigNode | undefined {
    this.#read.add(key);
    return findNode(this.#nodes, key);
  }

  #value(key: string): ConfigValue | undefined {
    const node = this.#node(key);
    return node !== undefined && 'value' in node ? node.value : undefined;
  }

  #unexpected(key: string, value: ConfigValue | undefined, expected: string): Error {
    const found = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
    return this.fail(`${key}: found ${found}, expected ${expected}`);
  }
}
