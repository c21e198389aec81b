export const SIGNALS: ReadonlyMap<string, number> = new Map([
  ['HUP', 1],
  ['INT', 2],
  ['QUIT', 3],
  ['KILL', 9],
  ['USR1', 10],
  ['USR2', 12],
  ['TERM', 15],
]);

/** Of a name, with or without `SIG`, or a number; undefined when there is none. */
export function signalNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : SIGNALS.get(text.replace(/^SIG/, ''));
}
