import type { RunWatcher, Topology } from '@quorate/lab';
import { type Cards, type EventTap, RunCapture } from '@quorate/trace';
import { type Recording, watchFrames } from '@quorate/workers';
import type { OutputFile } from './output-file.js';

/** The frames of a simulated run on their way to a pcapng file. */
export interface CaptureOutput {
  readonly watcher: RunWatcher;
  /** Kinds of facts that the watcher needs. */
  readonly kinds: readonly string[];
  readonly tap: EventTap;
  end(): void;
}

export function captureOutput(file: OutputFile, topology: Topology): CaptureOutput {
  file.begin();
  const capture = captureTo(file, topology);
  return {
    watcher: { fact: (fact) => capture.fact(fact) },
    kinds: RunCapture.kinds,
    tap: capture,
    end: () => file.close(),
  };
}

/** Writes the frames of a recorded run as a pcapng file. */
export function captureRecording(file: OutputFile, recording: Recording, topology: Topology): void {
  file.begin();
  watchFrames(recording, topology, captureTo(file, topology));
  file.close();
}

/** Writes what it hears of to the file, which has begun, at once. */
export function captureTo(file: OutputFile, topology: Topology): RunCapture {
  return new RunCapture(cardsOf(topology), (bytes) => file.write(bytes));
}

/** Cards on the network, by the machines and hosts that they are in. */
export function cardsOf({ machines, hosts }: Topology): Cards {
  return {
    nodes: machines.map(({ id, name }) => ({ id, name })),
    hosts: hosts.map(({ nic, kind }) => ({ id: nic, name: kind })),
  };
}
