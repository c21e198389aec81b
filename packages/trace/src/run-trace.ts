import type { Nanos, Stamped, Violation } from '@quorate/kernel';
import { EventKind, type EventTap } from './event-tap.js';
import { type AnyFact, FactRecords } from './fact-record.js';
import { frameProtocol } from './frame-protocol.js';
import { DRIVER_NODE } from './layout.js';
import { type TraceHeader, TraceWriter } from './writer.js';

interface Frame {
  protocol: string;
  /** For the first copy; empty for those after it. */
  payload: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const READS_AND_WRITES: ReadonlySet<number> = new Set([0x28, 0x2a, 0x2f, 0x35, 0x88, 0x8a, 0x8f, 0x91]);
/** Opcodes from here on have an LBA of eight bytes. */
const LONG_OPCODES = 0x80;

/**
 * Writes a run as a trace: the driver's events, the facts of all machines, the logs and the steps of the scenario.
 *
 * It is told in the order of the run, and adds what follows from that order: which event an event was caused by.
 */
export class RunTrace implements EventTap {
  readonly #writer: TraceWriter;
  readonly #withPayloads: boolean;
  readonly #records = new FactRecords();
  readonly #nodes: ReadonlyMap<string, number>;
  readonly #frame: Frame = { protocol: '', payload: NOTHING };
  /** Events in which the frames under way were sent, by their ids. */
  readonly #sent = new Map<number, number>();
  /** Events from which commands under way follow, by `commandKey`. */
  readonly #commands = new Map<number, number>();
  #now: Nanos = 0;
  #seq = 0;

  /** `sink` gets the file piece by piece, each valid during that call only. */
  constructor(header: TraceHeader, sink: (bytes: Uint8Array) => void, options: { readonly payloads?: boolean } = {}) {
    this.#writer = new TraceWriter(header, sink, options);
    this.#withPayloads = options.payloads === true;
    this.#nodes = new Map(header.nodes.map(({ id, name }) => [name, id]));
  }

  event(
    now: Nanos,
    seq: number,
    kind: number,
    node: number,
    a: number,
    b: number,
    bytes: Uint8Array,
    sense: Uint8Array,
  ): void {
    this.#now = now;
    this.#seq = seq;
    const writer = this.#writer;
    switch (kind) {
      case EventKind.receive: {
        const cause = this.#sent.get(a) ?? 0;
        this.#sent.delete(a);
        return writer.add('receive', node, now, seq, [a, bytes.length, cause, bytes]);
      }
      case EventKind.timer:
        return writer.add('timer', node === 0 ? DRIVER_NODE : node, now, seq, []);
      case EventKind.arrive: {
        const key = commandKey(node, a);
        const cause = this.#commands.get(key) ?? 0;
        this.#commands.set(key, seq);
        return writer.add('arrive', node, now, seq, [a, b, cause]);
      }
      case EventKind.done: {
        const key = commandKey(node, a);
        const cause = this.#commands.get(key) ?? 0;
        this.#commands.delete(key);
        return writer.add('done', node, now, seq, [a, b, senseText(sense), bytes.length, cause]);
      }
    }
  }

  /** A network card puts a frame on the wire; the facts about its copies follow. */
  sends(frame: Uint8Array): void {
    this.#frame.protocol = frameProtocol(frame);
    this.#frame.payload = this.#withPayloads ? frame : NOTHING;
  }

  /** A machine hands a command to its way to the disks. */
  submits(now: Nanos, node: number, lun: number, tag: number, cdb: Uint8Array): void {
    this.#now = now;
    const opcode = cdb[0] ?? 0;
    const isLong = opcode >= LONG_OPCODES;
    const [lba, blocks] = !READS_AND_WRITES.has(opcode)
      ? [0, 0]
      : isLong
        ? [bigEndian(cdb, 2, 8), bigEndian(cdb, 10, 4)]
        : [bigEndian(cdb, 2, 4), bigEndian(cdb, 7, 2)];
    this.#commands.set(commandKey(node, tag), this.#seq);
    this.#writer.add('submit', node, now, this.#seq, [tag, lun, opcode, lba, blocks]);
  }

  fact(fact: Stamped): void {
    const any = fact as AnyFact;
    this.#now = fact.at;
    if (fact.kind === 'network.sent') return this.#onSent(any);
    if (fact.kind === 'network.dropped') this.#sent.delete(Number(any.id));
    const record = this.#records.of(any);
    if (record !== undefined) this.#writer.add(record.kind, record.node, fact.at, this.#seq, record.values);
  }

  log(at: Nanos, machine: string, priority: string, tag: string, text: string): void {
    this.#now = at;
    this.#writer.add('log', this.#nodes.get(machine) ?? DRIVER_NODE, at, this.#seq, [priority, tag, text]);
  }

  /** A step of the scenario `begins` or `ends`, or it looked for something that was `observed` or `missed`. */
  phase(at: Nanos, name: string, what: 'begins' | 'ends' | 'observed' | 'missed', text: string): void {
    this.#now = at;
    this.#writer.add('phase', DRIVER_NODE, at, this.#seq, [name, what, text]);
  }

  /** A fault of a storm begins or ends. */
  attack(at: Nanos, what: 'begins' | 'ends', family: string, text: string): void {
    this.#now = at;
    this.#writer.add(what === 'begins' ? 'nemesisStart' : 'nemesisEnd', DRIVER_NODE, at, this.#seq, [family, text]);
  }

  /** Writes what rules were broken, and ends the file. */
  end(hash: string, violations: readonly Violation[] = []): void {
    for (const { invariant, message, nodes, at } of violations) {
      const text = `${message} (at ${at} ns)`;
      this.#writer.add('violation', nodes[0] ?? DRIVER_NODE, this.#now, this.#seq, [invariant, text]);
    }
    this.#writer.end(hash);
  }

  #onSent({ id, from, to, sizeBytes, at }: AnyFact): void {
    this.#sent.set(Number(id), this.#seq);
    const { protocol, payload } = this.#frame;
    this.#writer.add('send', Number(from), at, this.#seq, [
      Number(id),
      Number(to),
      Number(sizeBytes),
      protocol,
      payload,
    ]);
    this.#frame.payload = NOTHING;
  }
}

/** Tags are unique among the commands of a nexus. */
function commandKey(nexus: number, tag: number): number {
  return nexus * 0x1_0000_0000 + tag;
}

function bigEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** Key, ASC and ASCQ of fixed-format sense data, in hex; empty without sense data. */
function senseText(sense: Uint8Array): string {
  if (sense.length < 14) return '';
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
  return `${(sense[2]! & 15).toString(16).toUpperCase()}/${hex(sense[12]!)}/${hex(sense[13]!)}`;
}
