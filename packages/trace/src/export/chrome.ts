import type { Nanos } from '@quorate/kernel';
import type { Trace, TraceRecord } from '../reader.js';
import { eventText, opcodeName } from './event-text.js';
import { nameOf, nodeNames, WORLD_NODE } from './names.js';
import { type Span, spansOf } from './spans.js';
import type { Window } from './window.js';

export interface ChromeOptions {
  /** The stretch to show; the whole run unless told. States that began before it are shown from its beginning. */
  readonly window?: Window;
  /** Records to show at most, 500 000 unless told: viewers have their limits. */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 500_000;
/** Counters change with every frame; they are shown this often. */
const COUNTER_NANOS = 10_000_000;

/**
 * Chrome trace events in JSON, for Perfetto and `chrome://tracing`. A process is a node, a thread one of its components.
 *
 * `X` are events and the states of daemons, `s` and `f` the way of a frame or command by its id, `b` and `e` what runs beside
 * other things: services, agents, locks, fencing, partitions, faults, steps, requests, outages and their phases. `C` counts
 * what is under way, `i` are facts and lines of logs.
 *
 * Source: "Trace Event Format", Google.
 */
export function* exportChrome(trace: Trace, options: ChromeOptions = {}): Generator<string, void, undefined> {
  const { scenario, seed } = trace.header;
  const events = new ChromeEvents(trace, options);
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  let separator = '';
  for (const event of events.all()) {
    yield separator + event;
    separator = ',\n';
  }
  const cutAt = events.cutAt === undefined ? '' : `,"cutAtNs":${events.cutAt}`;
  yield `\n],"otherData":${JSON.stringify({ scenario, seed }).slice(0, -1)}${cutAt}}}\n`;
}

interface UnderWay {
  readonly at: Nanos;
  readonly node: number;
  readonly thread: number;
  readonly name: string;
}

class ChromeEvents {
  /** Where the limit was met; undefined when all was shown. */
  cutAt: Nanos | undefined;
  readonly #trace: Trace;
  readonly #names: ReadonlyMap<number, string>;
  readonly #limit: number;
  readonly #from: Nanos;
  readonly #to: Nanos;
  /** By process and name. */
  readonly #threads = new Map<string, number>();
  readonly #frames = new Map<unknown, UnderWay>();
  readonly #commands = new Map<string, UnderWay>();
  #flows = 0;
  #countedAt = -Infinity;
  /** What one record or span has become. */
  #out: string[] = [];

  constructor(trace: Trace, { window, limit }: ChromeOptions) {
    this.#trace = trace;
    this.#names = nodeNames(trace.header);
    this.#limit = limit ?? DEFAULT_LIMIT;
    this.#from = window?.from ?? 0;
    this.#to = window?.to ?? Infinity;
  }

  *all(): Generator<string, void, undefined> {
    let order = 0;
    for (const [pid, name] of this.#names) {
      yield `{"ph":"M","pid":${pid},"tid":0,"name":"process_name","args":{"name":${JSON.stringify(name)}}}`;
      yield `{"ph":"M","pid":${pid},"tid":0,"name":"process_sort_index","args":{"sort_index":${order++}}}`;
    }
    let shown = 0;
    for (const record of this.#trace.records()) {
      if (record.time > this.#to) break;
      if (record.time >= this.#from && ++shown > this.#limit) {
        this.cutAt = record.time;
        break;
      }
      yield* this.#ofRecord(record);
    }
    const end = Math.min(this.#to, this.cutAt ?? Infinity);
    for (const span of spansOf(this.#trace.records())) yield* this.#ofSpan(span, end);
  }

  #ofRecord(record: TraceRecord): readonly string[] {
    this.#out = [];
    const { time, node, kind, fields } = record;
    switch (kind) {
      case 'net.send':
        if (fields.to !== -1) this.#onSend(record);
        break;
      case 'net.recv': {
        const sent = this.#take(this.#frames, fields.id);
        const at = this.#slice(time, node, 'frames', sent?.name ?? 'frame', { bytes: fields.bytes });
        if (sent !== undefined) this.#flow('frame', sent, at);
        break;
      }
      case 'net.drop': {
        const sent = this.#take(this.#frames, fields.id);
        this.#instant(time, node, 'frames', `${sent?.name ?? 'frame'} dropped: ${fields.reason}`, {});
        break;
      }
      case 'io.submit': {
        const name = `${opcodeName(Number(fields.opcode))} LUN ${fields.lun}`;
        const at = this.#slice(time, node, 'disks', name, { lba: fields.lba, blocks: fields.blocks });
        this.#commands.set(`${node} ${fields.tag}`, at);
        break;
      }
      case 'io.arrive': {
        const key = `${node} ${fields.tag}`;
        const submitted = this.#take(this.#commands, key);
        const name = submitted?.name ?? opcodeName(Number(fields.opcode));
        const at = this.#slice(time, WORLD_NODE, 'disks', name, { node });
        if (submitted !== undefined) this.#flow('command', submitted, at);
        this.#commands.set(key, at);
        break;
      }
      case 'io.done': {
        const arrived = this.#take(this.#commands, `${node} ${fields.tag}`);
        const args = { status: fields.status, sense: fields.sense, bytes: fields.bytes };
        const at = this.#slice(time, node, 'disks', arrived?.name ?? 'command', args);
        if (arrived !== undefined) this.#flow('command', arrived, at);
        break;
      }
      case 'io.fault':
        this.#commands.delete(`${node} ${fields.tag}`);
        this.#instant(time, node, 'disks', `command lost: ${fields.reason}`, {});
        break;
      case 'timer.fire':
        this.#slice(time, node, 'timers', 'wake', {});
        break;
      case 'log':
        this.#instant(time, node, 'log', `${fields.tag}: ${fields.text}`, { level: fields.level });
        break;
      case 'fact':
        this.#instant(time, node, 'facts', String(fields.name), { fields: fields.fields });
        break;
      default: {
        const text = eventText(record);
        if (text !== undefined) this.#instant(time, node, 'events', text, {});
      }
    }
    this.#count(time);
    return this.#out;
  }

  #onSend({ time, node, fields }: TraceRecord): void {
    const args = { id: fields.id, to: nameOf(this.#names, Number(fields.to)), bytes: fields.bytes };
    this.#frames.set(fields.id, this.#slice(time, node, 'frames', String(fields.protocol), args));
  }

  #take<Key>(from: Map<Key, UnderWay>, key: Key): UnderWay | undefined {
    const found = from.get(key);
    from.delete(key);
    return found;
  }

  #slice(at: Nanos, node: number, component: string, name: string, args: object): UnderWay {
    const thread = this.#thread(node, component);
    this.#put(
      at,
      `"ph":"X","dur":1,${place(node, thread, at)},"name":${JSON.stringify(name)},"args":${JSON.stringify(args)}`,
    );
    return { at, node, thread, name };
  }

  #instant(at: Nanos, node: number, component: string, name: string, args: object): void {
    const where = place(node, this.#thread(node, component), at);
    this.#put(at, `"ph":"i","s":"t",${where},"name":${JSON.stringify(name)},"args":${JSON.stringify(args)}`);
  }

  /** Both ends at once: where one is outside of the window there is no flow. */
  #flow(category: string, start: UnderWay, end: UnderWay): void {
    if (start.at < this.#from || end.at > this.#to) return;
    this.#flows += 1;
    const what = `"cat":"${category}","name":${JSON.stringify(start.name)},"id":${this.#flows}`;
    this.#put(start.at, `"ph":"s",${what},${place(start.node, start.thread, start.at)}`);
    this.#put(end.at, `"ph":"f","bp":"e",${what},${place(end.node, end.thread, end.at)}`);
  }

  #count(at: Nanos): void {
    if (at - this.#countedAt < COUNTER_NANOS) return;
    this.#countedAt = at;
    const args = `{"frames":${this.#frames.size},"commands":${this.#commands.size}}`;
    this.#put(at, `"ph":"C",${place(WORLD_NODE, 0, at)},"name":"under way","args":${args}`);
  }

  #put(at: Nanos, fields: string): void {
    if (at >= this.#from) this.#out.push(`{${fields}}`);
  }

  #ofSpan(span: Span, end: Nanos): readonly string[] {
    this.#out = [];
    const from = Math.max(span.from, this.#from);
    const to = Math.min(span.to, end);
    if (to < from) return [];
    const { node, track, category } = span;
    const name = JSON.stringify(span.name);
    if (category === 'state') {
      const where = place(node, this.#thread(node, track), from);
      this.#put(from, `"ph":"X","dur":${micros(to - from)},${where},"name":${name}`);
      return this.#out;
    }
    // Locks of one lockspace overlap, each other track is a row of its own.
    const row = category === 'lock' ? `${track} ${span.name}` : track;
    const id = `"cat":"${category}","id":${JSON.stringify(`${node} ${row}`)},"name":${name}`;
    this.#put(from, `"ph":"b",${id},${place(node, 0, from)}`);
    this.#put(from, `"ph":"e",${id},${place(node, 0, to)}`);
    return this.#out;
  }

  /** Number of a component among those of its node; told with its name when it is first asked for. */
  #thread(node: number, component: string): number {
    const key = `${node} ${component}`;
    const known = this.#threads.get(key);
    if (known !== undefined) return known;
    const thread = this.#threads.size + 1;
    this.#threads.set(key, thread);
    const name = JSON.stringify(component);
    this.#out.push(`{"ph":"M","pid":${node},"tid":${thread},"name":"thread_name","args":{"name":${name}}}`);
    return thread;
  }
}

function place(node: number, thread: number, at: Nanos): string {
  return `"pid":${node},"tid":${thread},"ts":${micros(at)}`;
}

/** Microseconds with three decimals, as the format wants them. */
function micros(nanos: Nanos): string {
  return `${Math.floor(nanos / 1000)}.${String(nanos % 1000).padStart(3, '0')}`;
}
