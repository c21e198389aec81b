import { hex } from '@quorate/kernel';
import type { Trace } from '../reader.js';

/**
 * One JSON object a line for each record: `t` in ns, `seq`, `node`, `kind`, then the record's fields.
 *
 * Payloads are in hex, and left out where there are none. The fields of a `fact` are an object.
 */
export function* exportJsonl(trace: Trace): Generator<string, void, undefined> {
  for (const { time, seq, node, kind, fields } of trace.records()) {
    const parts = [`"t":${time}`, `"seq":${seq}`, `"node":${node}`, `"kind":${JSON.stringify(kind)}`];
    for (const [name, value] of Object.entries(fields)) {
      if (!(value instanceof Uint8Array)) parts.push(`${JSON.stringify(name)}:${jsonOf(kind, name, value)}`);
      else if (value.length > 0) parts.push(`${JSON.stringify(name)}:"${hex(value)}"`);
    }
    yield `{${parts.join(',')}}\n`;
  }
}

/** A fact's fields are JSON already. */
function jsonOf(kind: string, name: string, value: string | number): string {
  return kind === 'fact' && name === 'fields' ? String(value) : JSON.stringify(value);
}
