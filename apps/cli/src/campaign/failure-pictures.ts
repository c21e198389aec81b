import { readFileSync, writeFileSync } from 'node:fs';
import type { SeedReport, SeedRunOptions } from '@quorate/simulator';
import { exportMermaid, TraceFile } from '@quorate/trace';
import { OutputFile } from '../output-file.js';
import type { PreparedScenario } from '../scenarios.js';
import { fullTrace } from '../trace-output.js';

/** A failed run for people to look at: the whole of it as a trace, and its last frames as a chart. */
export interface FailurePictures {
  readonly trace: string;
  readonly chart: string;
}

/** Frames that a chart shows. */
const LAST_FRAMES = 100;

/** Runs and keeps the pictures of it. `run` has to hand the options to the simulator. */
export function runPictured<T extends { readonly report: SeedReport }>(
  { scenario, topology }: PreparedScenario,
  seed: string,
  pictures: FailurePictures,
  run: (options: Omit<SeedRunOptions, 'world'>) => T,
): T {
  const file = new OutputFile('trace', pictures.trace);
  const output = fullTrace(file, 'full', { scenario: scenario.name, seed, topology });
  const ran = run({ watcher: output.watcher, tap: output.tap });
  const { hash, id, virtualNs: at, nodes, message } = ran.report;
  output.end({ hash, violations: id === null ? [] : [{ invariant: id, at, nodes, message }] });
  const chart = exportMermaid(new TraceFile(readFileSync(pictures.trace)), { last: LAST_FRAMES });
  writeFileSync(pictures.chart, [...chart].join(''));
  return ran;
}
