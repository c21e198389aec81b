import type { TagChange } from '@quorate/volumes';

/** What a command tags. */
export interface Tagging {
  readonly change: TagChange;
  /** A group, or a volume as `GROUP/VOLUME`. */
  readonly name: string;
}

/** `--addtag TAG NAME` or `--deltag TAG NAME`. Undefined when the words are something else. */
export function parseTagChange(words: readonly string[]): Tagging | undefined {
  const [option, tag, name, ...more] = words;
  if (tag === undefined || name === undefined || more.length > 0) return undefined;
  if (option === '--addtag') return { change: { change: 'add', tag }, name };
  return option === '--deltag' ? { change: { change: 'delete', tag }, name } : undefined;
}
