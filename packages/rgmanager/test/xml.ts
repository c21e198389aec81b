import type { ConfElement } from '../src/index.js';

interface OpenElement extends ConfElement {
  readonly children: ConfElement[];
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

/** Reads the XML of test data: elements, attributes, comments and CDATA; no text. */
export function parseXml(text: string): ConfElement {
  const root: OpenElement = { name: '', attributes: new Map(), children: [] };
  const open = [root];
  for (const [, close, name, attributes, empty] of text.matchAll(
    /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<(\/?)([\w-]+)((?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g,
  )) {
    if (name === undefined) continue;
    if (close === '/') {
      open.pop();
      continue;
    }
    const pairs = [...attributes!.matchAll(/([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)];
    const element: OpenElement = {
      name,
      attributes: new Map(pairs.map(([, key, double, single]) => [key!, decoded(double ?? single ?? '')])),
      children: [],
    };
    open.at(-1)!.children.push(element);
    if (empty !== '/') open.push(element);
  }
  return root.children[0]!;
}
