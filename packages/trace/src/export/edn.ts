import type { Nanos } from '@quorate/kernel';
import type { Trace } from '../reader.js';

interface Entry {
  readonly at: Nanos;
  readonly process: string;
  readonly type: 'invoke' | 'ok' | 'fail';
  readonly f: string;
  readonly value: string;
}

/**
 * The clients' history, as Jepsen writes it: `{:index n, :time ns, :process p, :type :invoke|:ok|:fail, :f :get, :value v}`, one
 * operation's begin or end a line, in the order of time.
 *
 * Source: Jepsen, "knossos.history"; the EDN specification for strings and keywords.
 */
export function* exportEdn(trace: Trace): Generator<string, void, undefined> {
  const entries: Entry[] = [];
  for (const { time, kind, fields } of trace.records()) {
    if (kind !== 'op.ok' && kind !== 'op.fail') continue;
    const [process, f, value] = [fields.process, fields.f, fields.value].map(String) as [string, string, string];
    entries.push({ at: Number(fields.since), process, type: 'invoke', f, value: String(fields.number) });
    entries.push({ at: time, process, type: kind === 'op.ok' ? 'ok' : 'fail', f, value });
  }
  // Stable: at one instant the end of an operation stands before the beginning of the next, as they were recorded.
  entries.sort((a, b) => a.at - b.at || Number(a.type === 'invoke') - Number(b.type === 'invoke'));
  for (const [index, { at, process, type, f, value }] of entries.entries()) {
    yield `{:index ${index}, :time ${at}, :process "${quoted(process)}", :type :${type}, :f :${f}, :value "${quoted(value)}"}\n`;
  }
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
}
