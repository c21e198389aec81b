import { concatBytes } from '@quorate/kernel';
import { HypervBlog, hypervBlogTopology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Simulator } from '@quorate/simulator';
import { type FieldValue, KINDS, type KindName, RunTrace, TraceFile, TraceWriter } from '@quorate/trace';
import type { Figure } from './figures.js';

const SEED = 7;
const RUNS = 9;

export const traceTitle = `the full trace of the walk-through, seed ${SEED}: its records written again, without the run`;

/** A record as `TraceWriter` takes it. */
interface Added {
  readonly name: KindName;
  readonly node: number;
  readonly time: number;
  readonly seq: number;
  readonly values: readonly FieldValue[];
}

/** Throws when the file that was timed does not have every record. */
export function traceFigures(): readonly Figure[] {
  const { records, events, bytes } = tracedStory();
  const isEvent = ({ name }: Added): boolean => name !== 'fact' && name !== 'log' && name !== 'phase';
  const all = writeAgain(records);
  const ofEvents = records.filter(isEvent);
  const eventsOnly = writeAgain(ofEvents);
  return [
    { name: 'one record of an event', value: eventsOnly.nanos, unit: 'CPU ns', bar: { atMost: 100 } },
    { name: 'the same, size', value: eventsOnly.bytes, unit: 'bytes', bar: { atMost: 14 } },
    { name: 'one record, facts as JSON and log lines among them', value: all.nanos, unit: 'CPU ns' },
    { name: 'the same, size', value: all.bytes, unit: 'bytes' },
    { name: 'records in it', value: records.length, unit: `of ${events} events and what follows from them` },
    { name: 'whole file', value: bytes / 1e6, unit: 'MB' },
  ];
}

/** Reads each of them, so that they are in the cache, and gives a sum over all that was read. */
function lookAt(records: readonly Added[], from: number, to: number): number {
  let looked = 0;
  for (let i = from; i < to; i++) {
    const { name, node, time, seq, values } = records[i]!;
    looked += name.length + node + time + seq;
    for (const value of values) looked += typeof value === 'number' ? value : value.length;
  }
  return looked;
}

/** The story once, in the records of its trace. */
function tracedStory(): { readonly records: readonly Added[]; readonly events: number; readonly bytes: number } {
  const topology = hypervBlogTopology(administratorsPrograms);
  const parts: Uint8Array[] = [];
  const trace = new RunTrace(HEADER, (piece) => parts.push(piece.slice()));
  const simulator = new Simulator({
    scenario: new HypervBlog(topology),
    topology,
    seed: { hi: 0, lo: SEED },
    invariants: [],
    tap: trace,
    watcher: {
      fact: (fact) => trace.fact(fact),
      log: ({ at, machine, priority, tag, text }) => trace.log(at, machine, priority, tag, text),
    },
  });
  const { reason, events, hash } = simulator.run();
  if (reason !== 'ended') throw new Error(`the story stopped: ${reason}`);
  trace.end(hash);
  const file = concatBytes(...parts);
  const names = new Map(Object.entries(KINDS).map(([name, { name: kind }]) => [kind, name as KindName]));
  const records = Array.from(new TraceFile(file).records(), ({ time, seq, node, kind, fields }): Added => {
    return { name: names.get(kind)!, node, time, seq, values: Object.values(fields) };
  });
  return { records, events, bytes: file.length };
}

const HEADER = { seed: '0000000000000007', scenario: 'hyperv-blog', nodes: [] };

/** Records that fit into a processor's cache: in a run each is written as soon as it is there. */
const AT_ONCE = 4000;

/** The best of some times, for one record. Each few records are looked at just before, outside of the time. */
function writeAgain(records: readonly Added[]): { readonly nanos: number; readonly bytes: number } {
  let best = Infinity;
  let file: Uint8Array = new Uint8Array(0);
  for (let run = 0; run < RUNS; run++) {
    const parts: Uint8Array[] = [];
    const writer = new TraceWriter(HEADER, (piece) => parts.push(piece.slice()));
    let micros = 0;
    for (let from = 0; from < records.length; from += AT_ONCE) {
      const to = Math.min(from + AT_ONCE, records.length);
      if (Number.isNaN(lookAt(records, from, to))) throw new Error('a record has a value that is no number');
      const before = process.cpuUsage();
      for (let i = from; i < to; i++) {
        const record = records[i]!;
        writer.add(record.name, record.node, record.time, record.seq, record.values);
      }
      const { user, system } = process.cpuUsage(before);
      micros += user + system;
    }
    writer.end('');
    best = Math.min(best, (micros * 1000) / records.length);
    file = concatBytes(...parts);
  }
  let count = 0;
  for (const _ of new TraceFile(file).records()) count += 1;
  if (count !== records.length) throw new Error(`the file has ${count} records, expected ${records.length}`);
  return { nanos: best, bytes: file.length / count };
}
