import {
  Checker,
  EventQueue,
  type Fact,
  type Invariant,
  MICROSECOND,
  type Nanos,
  Prng,
  type Stamped,
} from '@quorate/kernel';
import { Cpg, type CpgInput, type CpgOutput } from '../src/cpg/index.js';
import {
  corosync31,
  type Era,
  invariants,
  type NodeId,
  Totem,
  type TotemInput,
  type TotemNode,
  type TotemOutput,
  type TotemTimings,
} from '../src/index.js';

/** What the network does to a datagram. Probabilities in 1/2^32. */
export interface Weather {
  readonly loss: number;
  readonly duplicate: number;
  /** Mean of an extra exponential delay, which reorders. */
  readonly jitter: Nanos;
}

export const FAIR: Weather = { loss: 0, duplicate: 0, jitter: 0 };

export interface ClusterOptions {
  readonly nodes: number;
  readonly era?: Era;
  readonly timings?: TotemTimings;
  /** Addresses by node id; 10.0.0.<id> unless told. */
  readonly addresses?: readonly string[];
  readonly weather?: Weather;
  readonly seed?: number;
  /** Process groups on top; without them every regular configuration counts as synchronised at once. */
  readonly cpg?: boolean;
  readonly invariants?: readonly Invariant[];
  /** One-way delay without jitter. */
  readonly latency?: Nanos;
  /** How fast each node's clock runs, by node id - 1; 1 unless told. */
  readonly rates?: readonly number[];
  readonly safeDelivery?: boolean;
}

/** What the machines of one node said, for tests to read. */
export type Said =
  | { readonly at: Nanos; readonly node: NodeId; readonly output: TotemOutput }
  | { readonly at: Nanos; readonly node: NodeId; readonly output: CpgOutput };

interface Station {
  readonly id: NodeId;
  life: number;
  totem: Totem | undefined;
  cpg: Cpg | undefined;
  /** The ring id file. */
  ringSeq: number;
  readonly rate: number;
  isPaused: boolean;
  /** Datagrams that wait in a paused node's socket. */
  readonly backlog: Uint8Array[];
  side: number;
  wakeAt: Nanos;
  facts: number;
}

type Event =
  | { readonly kind: 'datagram'; readonly to: Station; readonly bytes: Uint8Array }
  | { readonly kind: 'wake'; readonly to: Station }
  | { readonly kind: 'call'; readonly call: () => void };

/** Nodes on one simulated segment, driven from one queue of events: the whole run follows from its options. */
export class Cluster {
  now: Nanos = 0;
  readonly checker: Checker;
  readonly stations = new Map<NodeId, Station>();
  /** Every output that is no datagram, unless `listen` was replaced. */
  readonly said: Said[] = [];
  listen: (said: Said) => void = (said) => this.said.push(keep(said));
  onFact: (fact: Stamped) => void = () => {};
  /** What becomes of a datagram before it goes out. */
  wire: (from: NodeId, bytes: Uint8Array) => Uint8Array = (_, bytes) => bytes;
  /** Sees every datagram on its way; false drops it. */
  filter: (from: NodeId, to: NodeId, bytes: Uint8Array) => boolean = () => true;
  weather: Weather;
  datagrams = 0;

  readonly #options: ClusterOptions;
  readonly #timings: TotemTimings;
  readonly #nodes: TotemNode[];
  readonly #prng: Prng;
  readonly #cuts = new Set<string>();
  readonly #queue = new EventQueue(256);
  readonly #events: (Event | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #posted: { readonly station: Station; readonly life: number; readonly input: TotemInput }[] = [];
  #order = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#timings = options.timings ?? corosync31(options.nodes);
    this.#prng = Prng.derive({ hi: 0, lo: options.seed ?? 1 }, 'network');
    this.weather = options.weather ?? FAIR;
    this.checker = new Checker(options.invariants ?? invariants);
    this.#nodes = [];
    for (let id = 1; id <= options.nodes; id++) {
      this.#nodes.push({ id, address: options.addresses?.[id - 1] ?? `10.0.0.${id}` });
      this.stations.set(id, {
        id,
        life: 0,
        totem: undefined,
        cpg: undefined,
        ringSeq: 0,
        rate: options.rates?.[id - 1] ?? 1,
        isPaused: false,
        backlog: [],
        side: 0,
        wakeAt: Infinity,
        facts: 0,
      });
    }
  }

  get ids(): NodeId[] {
    return [...this.stations.keys()];
  }

  get alive(): NodeId[] {
    return this.ids.filter((id) => this.stations.get(id)!.totem !== undefined);
  }

  boot(id: NodeId): void {
    const station = this.station(id);
    if (station.totem !== undefined) return;
    station.life += 1;
    station.isPaused = false;
    const observe = (fact: Fact): void => this.#observe(station, fact);
    station.totem = new Totem({
      nodeId: id,
      nodes: this.#nodes,
      era: this.#options.era ?? 'modern',
      timings: this.#timings,
      ringSeq: station.ringSeq,
      tokenFacts: true,
      safeDelivery: this.#options.safeDelivery ?? false,
      prng: Prng.derive({ hi: station.life, lo: this.#options.seed ?? 1 }, `send_join of ${id}`),
      observe,
    });
    station.cpg = this.#options.cpg === true ? new Cpg({ nodeId: id, observe }) : undefined;
    this.input(id, { kind: 'network-up' });
  }

  crash(id: NodeId): void {
    const station = this.station(id);
    station.totem = undefined;
    station.cpg = undefined;
    station.backlog.length = 0;
    station.wakeAt = Infinity;
  }

  leave(id: NodeId): void {
    this.input(id, { kind: 'leave' });
    this.crash(id);
  }

  pause(id: NodeId): void {
    this.station(id).isPaused = true;
  }

  resume(id: NodeId): void {
    const station = this.station(id);
    if (!station.isPaused) return;
    station.isPaused = false;
    for (const bytes of station.backlog.splice(0)) this.input(id, { kind: 'datagram', bytes });
    this.#wakeIfDue(station);
  }

  /** Nodes of different sides do not hear each other; nodes that are not named form one more side. */
  partition(...sides: readonly (readonly NodeId[])[]): void {
    for (const station of this.stations.values()) {
      station.side = sides.findIndex((side) => side.includes(station.id)) + 1;
    }
  }

  /** Cuts one way from one node to another. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Ends every partition and every cut. */
  heal(): void {
    for (const station of this.stations.values()) station.side = 0;
    this.#cuts.clear();
  }

  /** Tells the rules that everybody is up and hears everybody from now on. */
  calm(within: Nanos): void {
    this.#observe({ id: 0, life: 1, facts: 0 }, { kind: 'totem.calm', now: this.now, nodes: this.ids, within } as Fact);
  }

  cast(id: NodeId, text: string, group = 'test'): void {
    this.input(id, { kind: 'cast', group, payload: bytesOf(text) });
  }

  /** Gives a node's Totem an input now. Nothing happens to a node that is down. */
  input(id: NodeId, input: TotemInput): void {
    this.#step(this.station(id), input);
  }

  /** Gives a node's Cpg an input now. */
  cpgInput(id: NodeId, input: CpgInput): void {
    const station = this.station(id);
    this.#stepCpg(station, input);
    this.#drainPosted();
  }

  totem(id: NodeId): Totem {
    return this.station(id).totem!;
  }

  cpg(id: NodeId): Cpg {
    return this.station(id).cpg!;
  }

  station(id: NodeId): Station {
    return this.stations.get(id)!;
  }

  at(time: Nanos, call: () => void): void {
    this.#push(time, { kind: 'call', call });
  }

  run(duration: Nanos): void {
    const end = this.now + duration;
    while (this.#queue.time <= end) this.#next();
    this.now = end;
  }

  /** Runs until the condition holds; false if it does not within `limit`. */
  runUntil(condition: () => boolean, limit: Nanos): boolean {
    const end = this.now + limit;
    while (!condition()) {
      if (this.#queue.time > end) {
        this.now = end;
        return false;
      }
      this.#next();
    }
    return true;
  }

  /** Whether these nodes, and no others, are operational in one ring. */
  isRingOf(ids: readonly NodeId[]): boolean {
    const views = ids.map((id) => this.totem(id).inspect());
    const wanted = [...ids].sort((a, b) => a - b).join(' ');
    return views.every(
      (view) => view.state === 'operational' && view.ring === views[0]!.ring && view.members.join(' ') === wanted,
    );
  }

  #next(): void {
    this.now = this.#queue.time;
    const slot = this.#queue.pop();
    const event = this.#events[slot]!;
    this.#events[slot] = undefined;
    this.#free.push(slot);
    switch (event.kind) {
      case 'call':
        return event.call();
      case 'wake':
        // One that an earlier wake-up overtook is stale.
        if (event.to.wakeAt === this.now) this.#wakeIfDue(event.to);
        return;
      case 'datagram':
        if (event.to.isPaused) event.to.backlog.push(event.bytes);
        else this.#step(event.to, { kind: 'datagram', bytes: event.bytes });
    }
  }

  #wakeIfDue(station: Station): void {
    if (station.totem === undefined || station.isPaused) return;
    station.wakeAt = Infinity;
    if (station.totem.deadline() <= this.#clockOf(station)) this.#step(station, { kind: 'wake' });
    else this.#schedule(station);
  }

  /** What the node's own clock shows now. */
  #clockOf({ rate }: Station): Nanos {
    return Math.floor(this.now * rate);
  }

  #schedule(station: Station): void {
    const deadline = Math.ceil((station.totem?.deadline() ?? Infinity) / station.rate);
    if (deadline >= station.wakeAt) return;
    station.wakeAt = Math.max(deadline, this.now);
    this.#push(station.wakeAt, { kind: 'wake', to: station });
  }

  #push(time: Nanos, event: Event): void {
    const slot = this.#free.pop() ?? this.#events.length;
    this.#events[slot] = event;
    this.#queue.push(time, this.#order++, slot);
  }

  #step(station: Station, input: TotemInput): void {
    const { totem } = station;
    if (totem === undefined) return;
    totem.step(this.#clockOf(station), input, (output) => this.#onTotem(station, output));
    this.#drainPosted();
    this.#schedule(station);
  }

  #drainPosted(): void {
    for (let next = this.#posted.shift(); next !== undefined; next = this.#posted.shift()) {
      if (next.life === next.station.life) this.#step(next.station, next.input);
    }
  }

  #stepCpg(station: Station, input: CpgInput): void {
    station.cpg?.step(this.#clockOf(station), input, (output) => this.#onCpg(station, output));
  }

  #onTotem(station: Station, output: TotemOutput): void {
    switch (output.kind) {
      case 'unicast':
        return this.#send(station, this.station(output.to), this.wire(station.id, output.bytes.slice()));
      case 'multicast': {
        const bytes = this.wire(station.id, output.bytes.slice());
        for (const other of this.stations.values()) if (other !== station) this.#send(station, other, bytes);
        return;
      }
      case 'store-ring-seq':
        station.ringSeq = output.seq;
        break;
      case 'configuration':
        if (station.cpg !== undefined) this.#stepCpg(station, output);
        else if (output.type === 'regular') this.#post(station, { kind: 'sync-done', ring: output.ring });
        break;
      case 'deliver':
        this.#stepCpg(station, output);
        break;
      case 'queue-level':
        this.#postCpg(station, output);
    }
    this.listen({ at: this.now, node: station.id, output });
  }

  #onCpg(station: Station, output: CpgOutput): void {
    if (output.kind === 'cast') this.#post(station, { ...output, payload: output.payload.slice() });
    else if (output.kind === 'sync-done') this.#post(station, output);
    this.listen({ at: this.now, node: station.id, output });
  }

  #post(station: Station, input: TotemInput): void {
    this.#posted.push({ station, life: station.life, input });
  }

  /** As an event of its own: the machine may be in the middle of a step. */
  #postCpg(station: Station, input: CpgInput): void {
    const { life } = station;
    this.at(this.now, () => {
      if (station.life === life) this.cpgInput(station.id, input);
    });
  }

  #send(from: Station, to: Station, bytes: Uint8Array): void {
    this.datagrams += 1;
    const { loss, duplicate, jitter } = this.weather;
    if (from.side !== to.side || (this.#cuts.size > 0 && this.#cuts.has(`${from.id}>${to.id}`))) return;
    if (!this.filter(from.id, to.id, bytes)) return;
    if (loss > 0 && this.#prng.happens(loss)) return;
    const copies = duplicate > 0 && this.#prng.happens(duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const extra = jitter > 0 ? this.#prng.exponential(jitter) : 0;
      const latency = this.#options.latency ?? 100 * MICROSECOND;
      this.#push(this.now + latency + extra, { kind: 'datagram', to, bytes });
    }
  }

  #observe(station: { readonly id: NodeId; readonly life: number; facts: number }, fact: Fact): void {
    station.facts += 1;
    const stamped = { ...fact, node: station.id, life: station.life, seq: station.facts, at: this.now };
    this.checker.observe(stamped);
    this.onFact(stamped);
  }
}

function keep(said: Said): Said {
  if (!('payload' in said.output)) return said;
  return { ...said, output: { ...said.output, payload: said.output.payload.slice() } } as Said;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
