import type { Nanos, Violation } from '@quorate/kernel';
import { disksOfHosts, type Progress, type RunWatcher, type Topology } from '@quorate/lab';
import { type EventTap, RunTrace, type TraceHeader, type TraceRing, writeRing } from '@quorate/trace';
import { cardsOf } from './capture-output.js';
import { hashesOf } from './image-hashes.js';
import type { OutputFile } from './output-file.js';

/** `ring`: the last 65 536 events; `full`: every event and fact; `payload`: with the bytes of every frame. */
export const TRACE_MODES = ['ring', 'full', 'payload'] as const;
export type TraceMode = (typeof TRACE_MODES)[number];

interface TracedRun {
  readonly scenario: string;
  /** 16 hex digits. */
  readonly seed: string;
  readonly topology: Topology;
}

/** A run's trace on its way to a file. */
export interface TraceOutput {
  /** Who has to hear of the run; nobody where the ring alone is kept. */
  readonly watcher?: RunWatcher;
  readonly tap?: EventTap;
  end(run: { readonly hash: string; readonly violations: readonly Violation[] }, ring: TraceRing): void;
}

export function traceOutput(file: OutputFile, mode: TraceMode, run: TracedRun): TraceOutput {
  if (mode !== 'ring') return fullTrace(file, mode, run);
  file.begin();
  return {
    end: ({ hash }, ring) => {
      writeRing(ring, headerOf(run, mode), hash, (bytes) => file.write(bytes));
      file.close();
    },
  };
}

/** A trace of everything, which the ring of the last events adds nothing to. */
interface FullTrace {
  readonly watcher: RunWatcher;
  readonly tap: EventTap;
  end(run: { readonly hash: string; readonly violations: readonly Violation[] }): void;
}

export function fullTrace(file: OutputFile, mode: 'full' | 'payload', run: TracedRun): FullTrace {
  file.begin();
  const trace = new RunTrace(headerOf(run, mode), (bytes) => file.write(bytes), { payloads: mode === 'payload' });
  return {
    watcher: {
      fact: (fact) => trace.fact(fact),
      log: ({ at, machine, priority, tag, text }) => trace.log(at, machine, priority, tag, text),
      progress: (at, progress) => traceProgress(trace, at, progress),
    },
    tap: trace,
    end: ({ hash, violations }) => {
      trace.end(hash, violations);
      file.close();
    },
  };
}

function traceProgress(trace: RunTrace, at: Nanos, progress: Progress): void {
  switch (progress.kind) {
    case 'step-began':
      return trace.phase(at, progress.id, 'begins', progress.title);
    case 'step-ended':
      return trace.phase(at, progress.id, 'ends', '');
    case 'observed': {
      const { text, isTrue } = progress.observed;
      return trace.phase(at, progress.step, isTrue ? 'observed' : 'missed', text);
    }
    case 'attack-began':
      return trace.attack(at, 'begins', progress.family, progress.text);
    case 'attack-ended':
      return trace.attack(at, 'ends', progress.family, progress.text);
  }
}

function headerOf({ scenario, seed, topology }: TracedRun, mode: TraceMode): TraceHeader {
  const disks = [...topology.disks(), ...disksOfHosts(topology)];
  return {
    scenario,
    seed,
    mode,
    ...cardsOf(topology),
    images: Object.fromEntries(hashesOf(new Map(disks.map(({ lun, image }) => [lun, image])))),
  };
}
