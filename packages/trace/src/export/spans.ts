import type { Nanos } from '@quorate/kernel';
import { DRIVER_NODE } from '../layout.js';
import type { TraceRecord } from '../reader.js';
import { FailoverPhases } from './failover-phases.js';
import { WORLD_NODE } from './names.js';

/**
 * What a span is of. `state` spans of one track follow one another; the others of a track may overlap.
 *
 * `partition` and `fault` are what was done to the cluster, `outage` and `phase` what a client saw of a failover.
 */
export type SpanCategory =
  | 'state'
  | 'service'
  | 'agent'
  | 'lock'
  | 'fencing'
  | 'partition'
  | 'fault'
  | 'step'
  | 'request'
  | 'outage'
  | 'phase';

/** Something that lasted. */
export interface Span {
  readonly category: SpanCategory;
  readonly node: number;
  /** What it is a stretch of: `machine`, `totem`, `dlm storage`, `service:web`. */
  readonly track: string;
  readonly name: string;
  readonly from: Nanos;
  readonly to: Nanos;
  /** It had not ended when the trace did. */
  readonly isOpen: boolean;
}

type Begun = Omit<Span, 'to' | 'isOpen'>;

/** The spans of a run, in the order in which they end; those that do not end come last. */
export function* spansOf(records: Iterable<TraceRecord>): Generator<Span, void, undefined> {
  const spans = new OpenSpans();
  let now: Nanos = 0;
  for (const record of records) {
    now = record.time;
    yield* spans.take(record);
  }
  yield* spans.rest(now);
}

/** States in which there is nothing to show. */
const NO_STATE: ReadonlySet<string> = new Set(['left', 'none']);

/** Keys of what a machine does not end by going down: that it is to be fenced, and that it has no way to others. */
const OUTLIVES_POWER = /^(fencing|cut) /;

class OpenSpans {
  readonly #open = new Map<string, Begun>();
  readonly #phases = new FailoverPhases();
  /** By victim: the nodes that count it as one. */
  readonly #fencers = new Map<number, Set<number>>();
  /** Spans that ended with the record at hand. */
  #ended: Span[] = [];

  take(record: TraceRecord): readonly Span[] {
    this.#ended = [];
    this.#phases.take(record);
    const { time, node, fields } = record;
    switch (record.kind) {
      case 'node.state':
        this.#onPower(record);
        break;
      case 'state.change':
        this.#onState(record);
        break;
      case 'quorum': {
        const name = `${fields.isQuorate === 1 ? 'quorate' : 'inquorate'}: ${fields.votes} votes, quorum ${fields.quorum}`;
        this.#state(node, 'cman', name, time);
        break;
      }
      case 'mount':
        if (fields.what === 'unmounted') this.#end(`${node} gfs2`, time);
        else this.#state(node, 'gfs2', String(fields.what), time);
        break;
      case 'service':
        this.#onService(record);
        break;
      case 'agent': {
        const key = `${node} agent ${fields.run}`;
        const [track, name] = [String(fields.service), `${fields.action} ${fields.resource}`];
        if (fields.what === 'started') this.#begin(key, { category: 'agent', node, track, name, from: time });
        else this.#end(key, time);
        break;
      }
      case 'lock':
        this.#onLock(record);
        break;
      case 'fence':
        this.#onFence(record);
        break;
      case 'net.link': {
        const key = `cut ${fields.from} ${fields.to}`;
        const span = { category: 'partition', node: Number(fields.from), track: `no way to ${fields.to}` } as const;
        if (fields.state === 'cut') this.#begin(key, { ...span, name: `no way to node ${fields.to}`, from: time });
        else this.#end(key, time);
        break;
      }
      case 'nemesis.start': {
        const [track, name] = [String(fields.family), `${fields.family} ${fields.text}`];
        this.#begin(`fault ${name}`, { category: 'fault', node: DRIVER_NODE, track, name, from: time });
        break;
      }
      case 'nemesis.end':
        this.#end(`fault ${fields.family} ${fields.text}`, time);
        break;
      case 'phase':
        this.#onStep(record);
        break;
      case 'op.ok':
      case 'op.fail': {
        const name = `${fields.f} ${fields.number}: ${fields.value}`;
        this.#add(
          { category: 'request', node: WORLD_NODE, track: String(fields.process), name, from: Number(fields.since) },
          time,
        );
        break;
      }
      case 'outage':
        this.#onOutage(record);
        break;
    }
    return this.#ended;
  }

  /** Those that are open, as far as they went. */
  *rest(now: Nanos): Generator<Span, void, undefined> {
    for (const begun of this.#open.values()) yield { ...begun, to: now, isOpen: true };
  }

  /** A machine that goes down ends all that went on there. */
  #onPower({ time, node, fields }: TraceRecord): void {
    const { state } = fields;
    if (state !== 'off') return this.#state(node, 'machine', String(state), time);
    for (const [key, begun] of this.#open) {
      if (begun.node === node && !OUTLIVES_POWER.test(key)) this.#end(key, time);
    }
    for (const [victim, fencers] of this.#fencers) {
      if (fencers.delete(node) && fencers.size === 0) this.#end(`fencing ${victim}`, time);
    }
  }

  #onState({ time, node, fields }: TraceRecord): void {
    const track = fields.machine === '' ? String(fields.component) : `${fields.component} ${fields.machine}`;
    const to = String(fields.to);
    if (NO_STATE.has(to)) this.#end(`${node} ${track}`, time);
    else this.#state(node, track, to, time);
  }

  #onService({ time, fields }: TraceRecord): void {
    const track = String(fields.service);
    const owner = Number(fields.owner);
    const key = `service ${track}`;
    const running = this.#open.get(key);
    if (fields.state !== 'started') return this.#end(key, time);
    if (running?.node === owner) return;
    this.#end(key, time);
    this.#begin(key, { category: 'service', node: owner, track, name: track, from: time });
  }

  #onLock({ time, node, fields }: TraceRecord): void {
    const key = `${node} lock ${fields.lockspace} ${fields.lkid}`;
    if (fields.what === 'refused') return;
    this.#end(key, time);
    // NL holds nothing.
    if (fields.what === 'released' || fields.mode === 'NL') return;
    const name = `${fields.mode} ${String(fields.resource).trim()}`;
    this.#begin(key, { category: 'lock', node, track: `locks of ${fields.lockspace}`, name, from: time });
  }

  /** On the victim's track: from the first node that counts it as a victim to the first that knows it is fenced, or the last that dies. */
  #onFence({ time, node, fields }: TraceRecord): void {
    const victim = Number(fields.victim);
    const key = `fencing ${victim}`;
    const attempt = `${node} attempt ${victim}`;
    const span = { category: 'fencing', from: time } as const;
    if (fields.what === 'chosen') {
      this.#fencers.set(victim, (this.#fencers.get(victim) ?? new Set()).add(node));
      if (!this.#open.has(key)) this.#begin(key, { ...span, node: victim, track: 'fenced', name: 'to be fenced' });
    } else if (fields.what === 'started') {
      this.#begin(attempt, { ...span, node, track: 'fenced', name: `fences node ${victim}, ${fields.how}` });
    } else if (fields.what === 'fenced') {
      this.#fencers.delete(victim);
      this.#end(key, time);
    } else if (fields.what === 'succeeded' || fields.what === 'failed') this.#end(attempt, time);
  }

  #onStep({ time, fields }: TraceRecord): void {
    const name = String(fields.name);
    const step = {
      category: 'step',
      node: DRIVER_NODE,
      track: 'steps',
      name: `${name}: ${fields.text}`,
      from: time,
    } as const;
    if (fields.what === 'begins') this.#begin(`step ${name}`, step);
    else if (fields.what === 'ends') this.#end(`step ${name}`, time);
  }

  #onOutage({ time, fields }: TraceRecord): void {
    const from = Number(fields.since);
    const name = `no page: ${((time - from) / 1e9).toFixed(1)} s`;
    this.#add({ category: 'outage', node: WORLD_NODE, track: 'outage', name, from }, time);
    for (const phase of this.#phases.between(from, time)) {
      this.#add({ category: 'phase', node: WORLD_NODE, track: 'phases', name: phase.name, from: phase.from }, phase.to);
    }
  }

  /** The next state on a track ends the one before. */
  #state(node: number, track: string, name: string, at: Nanos): void {
    const key = `${node} ${track}`;
    if (this.#open.get(key)?.name === name) return;
    this.#end(key, at);
    this.#begin(key, { category: 'state', node, track, name, from: at });
  }

  #begin(key: string, begun: Begun): void {
    this.#open.set(key, begun);
  }

  #end(key: string, at: Nanos): void {
    const begun = this.#open.get(key);
    if (begun === undefined) return;
    this.#open.delete(key);
    this.#add(begun, at);
  }

  #add(begun: Begun, to: Nanos): void {
    this.#ended.push({ ...begun, to, isOpen: false });
  }
}
