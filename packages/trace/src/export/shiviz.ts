import type { Trace, TraceRecord } from '../reader.js';
import { eventText, opcodeName } from './event-text.js';
import { nameOf, nodeNames, WORLD_NODE } from './names.js';

/** Vector clock of a host: how many events of each host it knows of. */
type Clock = Map<string, number>;

/**
 * A log for ShiViz: for each event a line of text, then a line `host {"host":n,…}` with its vector clock.
 *
 * The clocks come from `cause`: a host's events follow one another, and a frame's or command's arrival follows its sending.
 * ShiViz reads it by its default expression, `(?<event>.*)\n(?<host>\S*) (?<clock>{.*})`.
 *
 * Source: ShiViz, "Input format"; C. Fidge, "Timestamps in message-passing systems".
 */
export function* exportShiviz(trace: Trace): Generator<string, void, undefined> {
  const clocks = new VectorClocks(trace);
  for (const record of trace.records()) {
    const stamped = clocks.stamp(record);
    if (stamped === undefined) continue;
    const { text, host, clock } = stamped;
    yield `${text}\n${host} ${JSON.stringify(Object.fromEntries(clock))}\n`;
  }
}

interface Stamped {
  readonly text: string;
  readonly host: string;
  readonly clock: Clock;
}

const DISKS = 'disks';

/** Walks over a run and gives each record that ShiViz shows its clock. */
class VectorClocks {
  readonly #names: ReadonlyMap<number, string>;
  readonly #clocks = new Map<string, Clock>();
  /** Of what is under way, by frame id or by node and tag. */
  readonly #frames = new Map<unknown, { readonly clock: Clock; readonly protocol: string }>();
  readonly #commands = new Map<string, Clock>();

  constructor({ header }: Trace) {
    this.#names = new Map([...nodeNames(header)].map(([id, name]) => [id, name.replaceAll(' ', '-')]));
  }

  /** Undefined for what ShiViz does not show. */
  stamp(record: TraceRecord): Stamped | undefined {
    const { node, kind, fields } = record;
    const host = nameOf(this.#names, node).replaceAll(' ', '-');
    switch (kind) {
      case 'net.send': {
        if (fields.to === -1) return undefined;
        const clock = this.#next(host);
        this.#frames.set(fields.id, { clock, protocol: String(fields.protocol) });
        return { text: `send ${fields.protocol} to ${nameOf(this.#names, Number(fields.to))}`, host, clock };
      }
      case 'net.recv': {
        const sent = this.#frames.get(fields.id);
        this.#frames.delete(fields.id);
        return { text: `receive ${sent?.protocol ?? 'a frame'}`, host, clock: this.#next(host, sent?.clock) };
      }
      case 'net.drop':
        this.#frames.delete(fields.id);
        return undefined;
      case 'io.submit': {
        const clock = this.#next(host);
        this.#commands.set(`${node} ${fields.tag}`, clock);
        return { text: `submit ${opcodeName(Number(fields.opcode))} to LUN ${fields.lun}`, host, clock };
      }
      case 'io.arrive': {
        const key = `${node} ${fields.tag}`;
        const clock = this.#next(DISKS, this.#commands.get(key));
        this.#commands.set(key, clock);
        return { text: `${opcodeName(Number(fields.opcode))} of ${host}`, host: DISKS, clock };
      }
      case 'io.done': {
        const key = `${node} ${fields.tag}`;
        const arrived = this.#commands.get(key);
        this.#commands.delete(key);
        return {
          text: `status ${fields.status}${fields.sense === '' ? '' : `, sense ${fields.sense}`}`,
          host,
          clock: this.#next(host, arrived),
        };
      }
      default: {
        const text = node === WORLD_NODE ? undefined : eventText(record);
        return text === undefined ? undefined : { text, host, clock: this.#next(host) };
      }
    }
  }

  /** The clock of a host's next event, which knows what `cause` knew. */
  #next(host: string, cause?: Clock): Clock {
    const clock = new Map(this.#clocks.get(host));
    for (const [of, count] of cause ?? []) clock.set(of, Math.max(count, clock.get(of) ?? 0));
    clock.set(host, (clock.get(host) ?? 0) + 1);
    this.#clocks.set(host, clock);
    return clock;
  }
}
