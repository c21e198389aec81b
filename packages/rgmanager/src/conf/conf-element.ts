/**
 * An element of `cluster.conf` as it was written; a `ConfElement` of `@quorate/cluster-conf` is one.
 *
 * rgmanager reads its own part of the file by itself: what the attributes of a resource are is for its agent to say.
 */
export interface ConfElement {
  readonly name: string;
  /** In the order of the file. */
  readonly attributes: ReadonlyMap<string, string>;
  /** In the order of the file. */
  readonly children: readonly ConfElement[];
  /** Its own character data; only an `event` has any. */
  readonly text?: string;
  /** Line of its start tag, from 1. */
  readonly line?: number;
}

export function childrenNamed(element: ConfElement | undefined, name: string): readonly ConfElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** Follows names down from an element, taking the first child of each name; undefined where there is none. */
export function descend(element: ConfElement | undefined, ...names: readonly string[]): ConfElement | undefined {
  let found = element;
  for (const name of names) found = found?.children.find((child) => child.name === name);
  return found;
}
