import { isIncomplete } from '@quorate/node';
import { UsageError } from '../usage-error.js';
import { type HostCommand, readHostCommand } from './host-commands.js';

/** A place where lines are typed that is no machine. */
export const OUTSIDE = 'host';

export interface TypedLine {
  /** A machine, or `OUTSIDE`. */
  readonly place: string;
  /** Empty: the next line is typed there. */
  readonly text: string;
  /** What a line means that is typed outside. */
  readonly command?: HostCommand;
}

const PLACED = /^\s*(?:(host>)|([A-Za-z0-9._-]+)#)(?:\s+(.*))?$/s;

/**
 * Reads a line that is typed at a place: `my-vm2# df` or `host> heal` go elsewhere, and only that, or a place alone. A line that
 * begins with # is a comment: undefined.
 *
 * @throws {UsageError} for a machine that there is not, or a command outside that there is not.
 */
export function readLine(line: string, place: string, machines: readonly string[]): TypedLine | undefined {
  if (isComment(line)) return undefined;
  const [, outside, machine, rest = ''] = PLACED.exec(line) ?? [];
  const at = outside === undefined ? (machine ?? place) : OUTSIDE;
  if (at !== OUTSIDE && !machines.includes(at)) {
    throw new UsageError(`found machine "${at}", expected one of ${machines.join(', ')}`);
  }
  const text = (isPlaced(line) ? rest : line).trim();
  if (at !== OUTSIDE || text === '') return { place: at, text };
  return { place: at, text, command: readHostCommand(text, machines) };
}

/** A line that is being typed: where, what says so, and what is typed there. */
export function partsOf(
  line: string,
  place: string,
): { readonly place: string; readonly head: string; readonly text: string } {
  const [, head = '', outside, machine] = /^(\s*(?:(host>)|([A-Za-z0-9._-]+)#)\s+)/.exec(line) ?? [];
  return { place: outside === undefined ? (machine ?? place) : OUTSIDE, head, text: line.slice(head.length) };
}

/** Whether there is nothing to type in a line. */
export function isComment(line: string): boolean {
  return /^\s*(#|$)/.test(line);
}

/** Whether a line that is typed on a machine goes on in the next one: a quote or a here-document is open. */
export function goesOn(line: string, place: string): boolean {
  const [, outside, machine, rest = ''] = PLACED.exec(line) ?? [];
  const isOutside = outside !== undefined || (machine === undefined && place === OUTSIDE);
  return !isComment(line) && !isOutside && isIncomplete(machine === undefined ? line : rest);
}

/** Whether a line says itself where it is typed. */
export function isPlaced(line: string): boolean {
  return PLACED.test(line);
}

/** `my-vm1# ` or `host> `. */
export function promptOf(place: string): string {
  return place === OUTSIDE ? `${OUTSIDE}> ` : `${place}# `;
}
