import { ConfigError } from '@quorate/kernel';

/** `key: value` in a section. */
export interface ConfEntry {
  readonly key: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

/** `name { … }`, or the whole file, whose name is empty. */
export interface ConfSection {
  readonly name: string;
  /** The line of its brace, from 1; 0 for the file. */
  readonly line: number;
  readonly entries: readonly ConfEntry[];
  readonly sections: readonly ConfSection[];
}

interface OpenSection extends ConfSection {
  readonly entries: ConfEntry[];
  readonly sections: OpenSection[];
}

/**
 * Reads the form of corosync.conf: sections in braces, `key: value`, and lines that begin with `#`.
 *
 * Source: corosync.conf(5); corosync exec/coroparse.c, `parse_section`.
 *
 * @throws {ConfigError} for a line that is nothing of this, a brace too many, and one that is missing.
 */
export function parseConfText(text: string): ConfSection {
  const root: OpenSection = { name: '', line: 0, entries: [], sections: [] };
  const open: OpenSection[] = [root];
  for (const [index, source] of text.split('\n').entries()) {
    const line = index + 1;
    const words = source.trim();
    const section = open.at(-1)!;
    if (words === '' || words.startsWith('#')) continue;
    if (words === '}') {
      if (open.length === 1) throw new ConfigError(pathOf(open), '}', 'a section that is open', { line });
      open.pop();
    } else if (words.endsWith('{')) {
      const child: OpenSection = { name: words.slice(0, -1).trim(), line, entries: [], sections: [] };
      section.sections.push(child);
      open.push(child);
    } else {
      const colon = words.indexOf(':');
      if (colon < 1) throw new ConfigError(pathOf(open), words, '"key: value", "name {" or "}"', { line });
      section.entries.push({ key: words.slice(0, colon).trim(), value: words.slice(colon + 1).trim(), line });
    }
  }
  const unclosed = open.at(-1)!;
  if (open.length > 1) throw new ConfigError(pathOf(open), '', `a "}" for the section of line ${unclosed.line}`);
  return root;
}

function pathOf(open: readonly ConfSection[]): string {
  const names = open.slice(1).map(({ name }) => name);
  return names.length === 0 ? 'corosync.conf' : names.join('.');
}
