import type { Nanos, Seed } from '@quorate/kernel';
import { type PreparedScenario, runSeed, type SeedReport } from './seed-run.js';

/** One kind of failure, and the runs that had it. */
export interface FailureGroup {
  readonly id: string;
  readonly verdict: SeedReport['verdict'];
  /** Of the first run. */
  readonly message: string;
  readonly seeds: readonly string[];
}

/** What was counted over all runs under one name. */
export interface Counted {
  /** Runs in which it happened at all. */
  readonly runs: number;
  readonly times: number;
  readonly largest: number;
}

/** What a campaign has found so far; plain data. */
export interface CampaignSummary {
  readonly runs: number;
  readonly passed: number;
  readonly events: number;
  readonly virtualNs: Nanos;
  readonly failures: readonly FailureGroup[];
  readonly counts: Readonly<Record<string, Counted>>;
  /** Over the hashes of all runs in the order of their seeds: equal campaigns have equal ones. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** Adds up reports, in whatever order they come. */
export class Campaign {
  readonly #reports = new Map<string, SeedReport>();

  /** A seed that is told twice counts once. */
  add(report: SeedReport): void {
    this.#reports.set(report.seed, report);
  }

  get runs(): number {
    return this.#reports.size;
  }

  get failed(): number {
    return [...this.#reports.values()].filter(({ verdict }) => verdict !== 'passed').length;
  }

  summary(): CampaignSummary {
    const reports = [...this.#reports.values()].sort((a, b) => (a.seed < b.seed ? -1 : 1));
    const sum = (of: (report: SeedReport) => number): number => reports.reduce((total, each) => total + of(each), 0);
    return {
      runs: reports.length,
      passed: reports.filter(({ verdict }) => verdict === 'passed').length,
      events: sum(({ events }) => events),
      virtualNs: sum(({ virtualNs }) => virtualNs),
      failures: failuresOf(reports),
      counts: countsOf(reports),
      hashes: Object.fromEntries(reports.map(({ seed, hash }) => [seed, hash])),
    };
  }
}

/** Runs a scenario with each of these seeds, one after the other. */
export function runCampaign(
  prepare: () => PreparedScenario,
  seeds: Iterable<Seed>,
  heard: (report: SeedReport) => void = () => {},
): CampaignSummary {
  const campaign = new Campaign();
  for (const seed of seeds) {
    const report = runSeed(prepare(), seed);
    campaign.add(report);
    heard(report);
  }
  return campaign.summary();
}

function failuresOf(reports: readonly SeedReport[]): readonly FailureGroup[] {
  const groups = new Map<string, FailureGroup & { readonly seeds: string[] }>();
  for (const { seed, verdict, id, message } of reports) {
    if (verdict === 'passed') continue;
    const name = id ?? verdict;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { id: name, verdict, message, seeds: [seed] });
    else group.seeds.push(seed);
  }
  return [...groups.values()].sort((a, b) => b.seeds.length - a.seeds.length);
}

function countsOf(reports: readonly SeedReport[]): Readonly<Record<string, Counted>> {
  const counts: Record<string, Counted> = {};
  for (const report of reports) {
    for (const [name, { times, largest }] of Object.entries(report.counts)) {
      const before = counts[name] ?? { runs: 0, times: 0, largest: 0 };
      counts[name] = {
        runs: before.runs + 1,
        times: before.times + times,
        largest: Math.max(before.largest, largest),
      };
    }
  }
  return counts;
}
