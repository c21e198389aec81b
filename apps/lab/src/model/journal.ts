import type { Nanos } from '@quorate/kernel';
import type { LogLine } from '@quorate/lab';
import { BoundedList } from './bounded-list.js';

/** `event`: told by the lab; `log`: a syslog line; `typed`, `printed`: an administrator's command and its output. */
type EntryKind = 'event' | 'log' | 'typed' | 'printed';

export interface JournalEntry {
  /** Grows by one with every entry of the journal. */
  readonly number: number;
  readonly at: Nanos;
  readonly kind: EntryKind;
  /** Host name; empty for what concerns the cluster. */
  readonly machine: string;
  readonly text: string;
  /** How much it matters. */
  readonly tone: 'plain' | 'good' | 'warning' | 'bad';
}

/** Lines that are kept of each machine, and of the cluster. */
const LIMIT = 400;

/** `all`, `events`, or a host name. */
export type JournalFilter = string;

/** What machines log, what happens, and what was typed: a bounded list for each source. */
export class Journal {
  readonly #sources = new Map<string, BoundedList<JournalEntry>>();
  /** Number of the newest entry. */
  newest = 0;

  /** `machines`: host names. */
  constructor(machines: readonly string[]) {
    for (const source of ['events', ...machines]) this.#sources.set(source, new BoundedList(LIMIT));
  }

  add(entry: Omit<JournalEntry, 'number'>): void {
    this.newest += 1;
    const source = entry.kind === 'event' ? 'events' : entry.machine;
    this.#sources.get(source)?.add({ ...entry, number: this.newest });
  }

  log({ at, machine, tag, text, priority }: LogLine): void {
    this.add({ at, kind: 'log', machine, text: `${tag}: ${text}`, tone: toneOf(priority) });
  }

  /** The last `count` entries that pass, oldest first; events of a machine pass with it. */
  last(filter: JournalFilter, count: number): readonly JournalEntry[] {
    if (filter === 'events') return this.#sources.get('events')!.last(count);
    const lists = filter === 'all' ? [...this.#sources.values()] : [this.#sources.get('events')!, this.#of(filter)];
    const entries = lists.flatMap((list) => list.last(filter === 'all' ? count : LIMIT));
    const passing = filter === 'all' ? entries : entries.filter(({ machine }) => machine === filter);
    return passing.sort((a, b) => a.number - b.number).slice(-count);
  }

  #of(machine: string): BoundedList<JournalEntry> {
    const list = this.#sources.get(machine);
    if (list === undefined) throw new RangeError(`no machine ${machine} in the journal`);
    return list;
  }
}

function toneOf(priority: string): JournalEntry['tone'] {
  if (['emerg', 'alert', 'crit', 'err'].includes(priority)) return 'bad';
  return priority === 'warning' ? 'warning' : 'plain';
}
