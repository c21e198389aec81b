import { concatBytes, fromHex, type Stamped } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exportChrome,
  exportEdn,
  exportJsonl,
  exportMermaid,
  exportShiviz,
  RunTrace,
  stepsOf,
  stepWindow,
  type Trace,
  TraceFile,
  type TraceRecord,
  windowed,
} from '../src/index.js';
import { failover } from './failover-trace.js';
import { happenings, traceOf } from './random-run.js';

const text = (pieces: Iterable<string>): string => [...pieces].join('');

interface ChromeEvent {
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly name: string;
  readonly cat?: string;
  readonly id?: number | string;
  readonly args?: Readonly<Record<string, unknown>>;
}

function chrome(trace: Trace, options?: Parameters<typeof exportChrome>[1]): readonly ChromeEvent[] {
  return (JSON.parse(text(exportChrome(trace, options))) as { traceEvents: ChromeEvent[] }).traceEvents;
}

describe('jsonl', () => {
  it('gives back every record', () => {
    fc.assert(
      fc.property(happenings, (run) => {
        const trace = traceOf(run);
        const back = text(exportJsonl(trace))
          .split('\n')
          .slice(0, -1)
          .map((line): TraceRecord => {
            const { t, seq, node, kind, ...fields } = JSON.parse(line);
            if ('payload' in fields) fields.payload = fromHex(fields.payload);
            else if (kind === 'net.send') fields.payload = new Uint8Array(0);
            return { time: t, seq, node, kind, fields };
          });
        expect(back).toEqual([...trace.records()]);
      }),
      { numRuns: 30 },
    );
  });

  it('has the fields of a fact as they are', () => {
    const parts: Uint8Array[] = [];
    const trace = new RunTrace({ seed: '', scenario: '', nodes: [] }, (bytes) => parts.push(bytes.slice()));
    trace.fact({ kind: 'qdisk.master', now: 5, node: 2, life: 1, seq: 1, at: 5, master: 1 } as Stamped);
    trace.end('');
    expect(text(exportJsonl(new TraceFile(concatBytes(...parts))))).toBe(
      '{"t":5,"seq":0,"node":2,"kind":"fact","name":"qdisk.master","fields":{"master":1}}\n',
    );
  });
});

describe('chrome', () => {
  it('every flow ends after it starts, and both ends lie in slices of their threads', () => {
    fc.assert(
      fc.property(happenings, (run) => {
        const events = chrome(traceOf(run));
        const slices = new Set(events.filter(({ ph }) => ph === 'X').map(({ pid, tid, ts }) => `${pid} ${tid} ${ts}`));
        const starts = new Map(events.filter(({ ph }) => ph === 's').map((event) => [event.id, event]));
        const ends = events.filter(({ ph }) => ph === 'f');
        expect(ends).toHaveLength(starts.size);
        for (const end of ends) {
          const start = starts.get(end.id)!;
          expect(start).toMatchObject({ cat: end.cat, name: end.name });
          expect(start.ts).toBeLessThanOrEqual(end.ts);
          for (const { pid, tid, ts } of [start, end]) expect(slices).toContain(`${pid} ${tid} ${ts}`);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('has a flow for every frame that arrived and for both ways of every command', () => {
    fc.assert(
      fc.property(happenings, (run) => {
        const trace = traceOf(run);
        const count = (...kinds: readonly string[]): number =>
          [...trace.records()].filter(({ kind }) => kinds.includes(kind)).length;
        const flows = (category: string): number =>
          chrome(trace).filter(({ ph, cat }) => ph === 's' && cat === category).length;
        expect(flows('frame')).toBe(count('net.recv'));
        expect(flows('command')).toBe(count('io.arrive', 'io.done'));
      }),
      { numRuns: 30 },
    );
  });

  it('every span that begins ends, and states of one thread follow each other', () => {
    fc.assert(
      fc.property(happenings, (run) => {
        const events = chrome(traceOf(run));
        const spans = events.filter(({ ph }) => ph === 'b');
        expect(spans).toHaveLength(events.filter(({ ph }) => ph === 'e').length);
        const threads = new Map(
          events.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, args!.name]),
        );
        const ends = new Map<number, number>();
        for (const { ph, tid, ts, dur } of events) {
          if (ph !== 'X' || threads.get(tid) !== 'totem') continue;
          expect(ts).toBeGreaterThanOrEqual(ends.get(tid) ?? 0);
          ends.set(tid, Number((ts + dur!).toFixed(3)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a window shows what happened in it, and the states that it found', () => {
    const trace = failover();
    const window = stepWindow(trace, 'crash')!;
    const events = chrome(trace, { window }).filter(({ ph }) => ph !== 'M');
    expect(Math.min(...events.map(({ ts }) => ts))).toBe(window.from / 1000);
    expect(Math.max(...events.map(({ ts }) => ts))).toBe(window.to / 1000);
    const operational = events.find(({ name }) => name === 'operational');
    expect(operational).toMatchObject({ ph: 'X', pid: 1, ts: window.from / 1000 });
  });

  it('says where it was cut because there was too much', () => {
    const whole = text(exportChrome(failover()));
    const cut = JSON.parse(text(exportChrome(failover(), { limit: 4 })));
    expect(JSON.parse(whole).otherData).toEqual({ scenario: 'failover', seed: '0000000000000001' });
    expect(cut.otherData).toMatchObject({ cutAtNs: 0.5e9 });
    expect(cut.traceEvents.filter(({ ph }: ChromeEvent) => ph === 'i')).toHaveLength(3);
  });
});

describe('shiviz', () => {
  interface Event {
    readonly host: string;
    readonly clock: Readonly<Record<string, number>>;
    readonly text: string;
  }

  /** As ShiViz reads a log by its default expression. */
  function parse(log: string): readonly Event[] {
    const events = [...log.matchAll(/(?<event>.*)\n(?<host>\S*) (?<clock>{.*})\n/g)];
    expect(events.map(([whole]) => whole).join('')).toBe(log);
    return events.map(({ groups }) => ({
      host: groups!.host!,
      clock: JSON.parse(groups!.clock!),
      text: groups!.event!,
    }));
  }

  const isBefore = (a: Event, b: Event): boolean =>
    Object.entries(a.clock).every(([host, count]) => count <= (b.clock[host] ?? 0));

  /** For each record that ShiViz shows: its host, and the record that it was caused by, by `cause` alone. */
  function causes(trace: Trace): readonly { readonly host: string; readonly because: number | undefined }[] {
    const shown: { host: string; because: number | undefined }[] = [];
    const places = new Map<string, number>();
    for (const { seq, node, kind, fields } of trace.records()) {
      if (kind === 'timer.fire' || kind === 'net.drop' || kind === 'lock') continue;
      const host = kind === 'io.arrive' ? 'disks' : `node${node}`;
      const frame = `${fields.cause} frame ${fields.id}`;
      const command = `${fields.cause} ${node} ${fields.tag}`;
      shown.push({ host, because: places.get(kind === 'net.recv' ? frame : command) });
      if (kind === 'net.send') places.set(`${seq} frame ${fields.id}`, shown.length - 1);
      else places.set(`${seq} ${node} ${fields.tag}`, shown.length - 1);
    }
    return shown;
  }

  it('one event is before another by its clock exactly if it is by the order of hosts and by what caused what', () => {
    fc.assert(
      fc.property(happenings, (run) => {
        const trace = traceOf(run);
        const events = parse(text(exportShiviz(trace)));
        const known = causes(trace);
        expect(events.map(({ host }) => host)).toEqual(known.map(({ host }) => host));
        const before: Set<number>[] = [];
        const last = new Map<string, number>();
        for (const [i, { host, because }] of known.entries()) {
          const mine = new Set<number>();
          for (const j of [last.get(host), because]) {
            if (j === undefined) continue;
            mine.add(j);
            for (const k of before[j]!) mine.add(k);
          }
          before.push(mine);
          last.set(host, i);
        }
        for (const [b, event] of events.entries()) {
          for (let a = 0; a < b; a++) expect(isBefore(events[a]!, event)).toBe(before[b]!.has(a));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a host counts its own events from 1, also where the trace begins in the middle', () => {
    fc.assert(
      fc.property(happenings, fc.nat(20_000), (run, from) => {
        const counts = new Map<string, number>();
        for (const { host, clock } of parse(text(exportShiviz(windowed(traceOf(run), { from, to: Infinity }))))) {
          expect(clock[host]).toBe((counts.get(host) ?? 0) + 1);
          counts.set(host, clock[host]!);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('mermaid', () => {
  const LINE =
    /^(sequenceDiagram| {2}(participant n\d+ as \S.*|n\d+(->>|-x)n\d+: [^#;\n]+|Note over n\d+: ([^#;\n]|#\d+;)+))$/;

  it('every line is one of a sequence diagram, and every participant is declared', () => {
    fc.assert(
      fc.property(happenings, fc.integer({ min: 1, max: 5 }), (run, last) => {
        const lines = text(exportMermaid(traceOf(run), { last }))
          .split('\n')
          .slice(0, -1);
        for (const line of lines) expect(line).toMatch(LINE);
        const declared = lines.flatMap((line) => /participant (n\d+)/.exec(line)?.[1] ?? []);
        const used = lines.slice(declared.length + 1).flatMap((line) => line.split(': ')[0]!.match(/n\d+/g) ?? []);
        expect(new Set(declared)).toEqual(new Set(used));
        expect(lines.filter((line) => /->>|-x/.test(line)).length).toBeLessThanOrEqual(last);
      }),
      { numRuns: 50 },
    );
  });

  it('shows the last frames, how long each took, which were dropped, and what happened among them', () => {
    expect(text(exportMermaid(failover(), { last: 2 })).split('\n')).toEqual([
      'sequenceDiagram',
      '  participant n1 as node1',
      '  participant n2 as node2',
      '  n2->>n1: arp 150 us',
      '  Note over n1: 3.000000 s machine off',
      '  n2-xn1: arp receiver-down',
      '  Note over n2: 5.000000 s totem gather',
      '  Note over n2: 6.000000 s victim 1 chosen',
      '  Note over n2: 8.000000 s victim 1 fenced',
      '  Note over n2: 9.000000 s start ip:10.0.0.9#59; a#35;1 started',
      '  Note over n2: 10.000000 s start ip:10.0.0.9#59; a#35;1 ended',
      '  Note over n2: 10.000000 s service:web started on node 2',
      '',
    ]);
  });
});

describe('edn', () => {
  it('has each operation twice, in the order of time', () => {
    expect(text(exportEdn(failover())).split('\n')).toEqual([
      '{:index 0, :time 1000000000, :process "F5", :type :invoke, :f :get, :value "1"}',
      '{:index 1, :time 1100000000, :process "F5", :type :ok, :f :get, :value "HTTP/1.0 200 \\"OK\\""}',
      '{:index 2, :time 4000000000, :process "F5", :type :invoke, :f :get, :value "2"}',
      '{:index 3, :time 5000000000, :process "F5", :type :fail, :f :get, :value "given up"}',
      '',
    ]);
  });
});

describe('windows', () => {
  it('a step is found by its name', () => {
    expect(stepsOf(failover())).toEqual(['boot', 'crash']);
    expect(stepWindow(failover(), 'crash')).toEqual({ from: 2.5e9, to: 12e9 });
    expect(stepWindow(failover(), 'nope')).toBeUndefined();
  });

  it('a windowed trace has the records within', () => {
    const times = Array.from(windowed(failover(), { from: 5e9, to: 8e9 }).records(), ({ time }) => time);
    expect(Math.min(...times)).toBe(5e9);
    expect(Math.max(...times)).toBe(8e9);
  });
});
