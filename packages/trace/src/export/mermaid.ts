import type { Trace, TraceRecord } from '../reader.js';
import { eventText } from './event-text.js';
import { nameOf, nodeNames } from './names.js';

const DEFAULT_LAST = 100;

/**
 * A Mermaid sequence diagram of the last `last` frames (100 unless told) and of what happened on the machines among them.
 *
 * An arrow stands where a frame arrived, with the time that it took; one with a cross where it was dropped.
 *
 * Source: Mermaid, "Sequence diagrams".
 */
export function* exportMermaid(
  trace: Trace,
  options: { readonly last?: number } = {},
): Generator<string, void, undefined> {
  const names = nodeNames(trace.header);
  const lines = linesOf(trace, options.last ?? DEFAULT_LAST);
  const nodes = [...new Set(lines.flatMap((line) => line.nodes))].sort((a, b) => a - b);
  yield 'sequenceDiagram\n';
  for (const node of nodes) yield `  participant n${node} as ${plain(nameOf(names, node))}\n`;
  for (const { text } of lines) yield `  ${text}\n`;
}

interface Line {
  readonly nodes: readonly number[];
  readonly text: string;
}

interface Sent {
  readonly from: number;
  readonly at: number;
  readonly protocol: string;
}

/** From the frame on that is the last but `last`. */
function linesOf(trace: Trace, last: number): readonly Line[] {
  const sent = new Map<unknown, Sent>();
  let lines: Line[] = [];
  /** Where in `lines` the frames stand. */
  let frames: number[] = [];
  for (const record of trace.records()) {
    const line = lineOf(record, sent);
    if (line === undefined) continue;
    if (line.nodes.length === 2) frames.push(lines.length);
    lines.push(line);
    // Cut now and then only: the lists are as long as twice what is wanted.
    if (frames.length >= 2 * last) {
      const first = frames[frames.length - last]!;
      lines = lines.slice(first);
      frames = frames.slice(-last).map((at) => at - first);
    }
  }
  return frames.length >= last ? lines.slice(frames[frames.length - last]!) : lines;
}

function lineOf(record: TraceRecord, sent: Map<unknown, Sent>): Line | undefined {
  const { time, node, kind, fields } = record;
  switch (kind) {
    case 'net.send':
      sent.set(fields.id, { from: node, at: time, protocol: String(fields.protocol) });
      return undefined;
    case 'net.recv': {
      const frame = sent.get(fields.id);
      sent.delete(fields.id);
      if (frame === undefined) return undefined;
      const tookUs = Math.round((time - frame.at) / 1000);
      return { nodes: [frame.from, node], text: `n${frame.from}->>n${node}: ${frame.protocol} ${tookUs} us` };
    }
    case 'net.drop': {
      const frame = sent.get(fields.id);
      sent.delete(fields.id);
      const to = Number(fields.to);
      if (frame === undefined || to < 0) return undefined;
      return { nodes: [node, to], text: `n${node}-xn${to}: ${frame.protocol} ${plain(String(fields.reason))}` };
    }
    default: {
      const text = eventText(record);
      if (text === undefined || node === 0) return undefined;
      return { nodes: [node], text: `Note over n${node}: ${(time / 1e9).toFixed(6)} s ${plain(text)}` };
    }
  }
}

/** What Mermaid would take for syntax is written as its entities. */
function plain(text: string): string {
  return text.replace(/[#;]/g, (character) => (character === '#' ? '#35;' : '#59;')).replace(/\s+/g, ' ');
}
