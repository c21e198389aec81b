/** One element of a `cluster.conf`, whatever it is called: what rgmanager and agents read their own parts from. */
export interface ConfElement {
  readonly name: string;
  /** In the order of the file. */
  readonly attributes: ReadonlyMap<string, string>;
  /** In the order of the file. */
  readonly children: readonly ConfElement[];
  /** Its own character data without blanks at both ends; only an rgmanager `event` may have any. */
  readonly text: string;
  /** Line of its start tag, from 1. */
  readonly line: number;
}
