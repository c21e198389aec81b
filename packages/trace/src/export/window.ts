import type { Nanos } from '@quorate/kernel';
import type { Trace, TraceRecord } from '../reader.js';

/** A stretch of a run, both ends included. */
export interface Window {
  readonly from: Nanos;
  readonly to: Nanos;
}

/** The stretch in which a step of the scenario ran; undefined when the trace has no such step. */
export function stepWindow(trace: Trace, step: string): Window | undefined {
  let from: Nanos | undefined;
  let last = 0;
  for (const { time, kind, fields } of trace.records()) {
    last = time;
    if (kind !== 'phase' || fields.name !== step) continue;
    if (fields.what === 'begins') from = time;
    else if (fields.what === 'ends' && from !== undefined) return { from, to: time };
  }
  return from === undefined ? undefined : { from, to: last };
}

/** Names of the scenario's steps, in their order. */
export function stepsOf(trace: Trace): readonly string[] {
  const steps: string[] = [];
  for (const { kind, fields } of trace.records()) {
    if (kind === 'phase' && fields.what === 'begins') steps.push(String(fields.name));
  }
  return steps;
}

/** The same trace with the records of a stretch only. */
export function windowed(trace: Trace, { from, to }: Window): Trace {
  return {
    header: trace.header,
    *records(): Generator<TraceRecord, void, undefined> {
      for (const record of trace.records()) {
        if (record.time > to) return;
        if (record.time >= from) yield record;
      }
    },
  };
}
