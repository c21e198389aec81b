import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, parseSeed, type Seed } from '@quorate/kernel';
import {
  type DecisionLog,
  decodeLog,
  encodeLog,
  type LogOrigin,
  logText,
  parseLogText,
  type ReplayedLog,
  replay,
  runLogged,
  type SeedReport,
} from '@quorate/simulator';
import { type PreparedScenario, prepare, type ScenarioOptions, type Scenarios } from '../scenarios.js';
import { UsageError } from '../usage-error.js';
import { type FailurePictures, runPictured } from './failure-pictures.js';

const VERDICT = 'verdict.json';
const LOG = 'decisions.log';
const SHRUNK_LOG = 'decisions.min.log';
const SHRUNK_TEXT = 'decisions.min.txt';
const PICTURES: FailurePictures = { trace: 'trace.qtrace', chart: 'chart.mmd' };
const SHRUNK_PICTURES: FailurePictures = { trace: 'trace.min.qtrace', chart: 'chart.min.mmd' };

/** A log with what it takes to run it. */
export interface ReplayableLog {
  readonly origin: LogOrigin;
  readonly log: DecisionLog;
  readonly seed: Seed;
  readonly prepare: () => PreparedScenario;
}

/**
 * One failure on disk: `verdict.json` (the report), `decisions.log` (all that the world decided), `trace.qtrace` (all that
 * happened) and `chart.mmd` (its last frames). When it was shrunk also `decisions.min.log` with `decisions.min.txt`, the
 * same for people, `trace.min.qtrace` and `chart.min.mmd`.
 */
export class FailureDirectory {
  readonly path: string;
  readonly report: SeedReport;

  private constructor(path: string, report: SeedReport) {
    this.path = path;
    this.report = report;
  }

  /** Runs a seed that has failed once more, and keeps everything. */
  static record(
    root: string,
    failed: SeedReport,
    scenario: string,
    options: ScenarioOptions,
    scenarios: Scenarios,
  ): FailureDirectory {
    const seed = parseSeed(`0x${failed.seed}`)!;
    const name = (failed.id ?? failed.verdict).replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 40);
    const path = join(root, `${name}-${failed.seed.replace(/^0+(?=.)/, '')}`);
    mkdirSync(path, { recursive: true });
    const prepared = prepare(scenarios, scenario, options);
    const { report, log } = runPictured(prepared, failed.seed, within(path, PICTURES), (watch) =>
      runLogged(prepared, seed, watch),
    );
    const origin: LogOrigin = { scenario, seed: failed.seed, options: { ...options }, commit: null, seeded: [] };
    writeFileSync(join(path, LOG), encodeLog(origin, log));
    writeFileSync(join(path, VERDICT), `${JSON.stringify({ scenario, options, ...report }, null, 2)}\n`);
    return new FailureDirectory(path, report);
  }

  /** @throws {UsageError} when there is no failure at that path. */
  static open(path: string): FailureDirectory {
    return new FailureDirectory(path, JSON.parse(readText(join(path, VERDICT)).toString()) as SeedReport);
  }

  /** Keeps what `full` was shrunk to. Gives the path of the log for people. */
  keepShrunk(full: ReplayableLog, shrunk: ReplayedLog): string {
    const { log, seeded } = shrunk;
    const origin = { ...full.origin, seeded };
    writeFileSync(join(this.path, SHRUNK_LOG), encodeLog(origin, log));
    const path = join(this.path, SHRUNK_TEXT);
    writeFileSync(path, logText(origin, log));
    const prepared = full.prepare();
    runPictured(prepared, origin.seed, within(this.path, SHRUNK_PICTURES), (watch) =>
      replay(prepared, full.seed, shrunk, 'strict', watch),
    );
    return path;
  }

  log(scenarios: Scenarios, isShrunk = false): ReplayableLog {
    return readLog(join(this.path, isShrunk ? SHRUNK_LOG : LOG), scenarios);
  }
}

/** @throws {UsageError} when the file is no log, or its scenario is not known. */
export function readLog(path: string, scenarios: Scenarios): ReplayableLog {
  const bytes = readText(path);
  try {
    const { origin, log } = path.endsWith('.txt') ? parseLogText(bytes.toString()) : decodeLog(bytes);
    const seed = parseSeed(`0x${origin.seed}`);
    if (seed === undefined) throw new ConfigError('seed', origin.seed, 'up to 16 hex digits');
    const options = origin.options as ScenarioOptions;
    return { origin, log, seed, prepare: () => prepare(scenarios, origin.scenario, options) };
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

function within(directory: string, { trace, chart }: FailurePictures): FailurePictures {
  return { trace: join(directory, trace), chart: join(directory, chart) };
}

function readText(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
