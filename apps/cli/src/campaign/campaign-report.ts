import { SECOND } from '@quorate/kernel';
import type { CampaignSummary } from '@quorate/simulator';
import Table from 'cli-table3';
import type { FailureDirectory } from './failure-directory.js';

/** What a campaign prints and `--json` writes. */
export interface CampaignFigures extends CampaignSummary {
  readonly scenario: string;
  readonly options: object;
  readonly jobs: number;
  /** Wall time. */
  readonly seconds: number;
  /** Names under which the scenario counts what ought to be seen at least once. */
  readonly goals: readonly string[];
}

/** Failures by kind, what was counted, figures, and as the last line one JSON object. */
export function campaignReport(figures: CampaignFigures, directories: readonly FailureDirectory[]): string {
  const parts = [failureTable(figures), countTable(figures)];
  for (const { path, report } of directories) {
    parts.push(`${report.id}, seed ${report.seed}: quorate sim replay ${path}\n    ${firstLine(report.message)}`);
  }
  const { scenario, options, runs, passed, events, virtualNs, seconds, failures } = figures;
  const perMinute = Math.round((runs / seconds) * 600) / 10;
  const line = {
    scenario,
    ...options,
    runs,
    passed,
    failures: Object.fromEntries(failures.map(({ id, seeds }) => [id, seeds.length])),
    seconds: Math.round(seconds * 10) / 10,
    seedsPerMinute: perMinute,
    eventsPerSecond: Math.round(events / seconds),
    virtualSeconds: Math.round(virtualNs / SECOND),
  };
  return `${[...parts.filter((part) => part !== ''), JSON.stringify(line)].join('\n')}\n`;
}

function failureTable({ failures, runs }: CampaignFigures): string {
  if (failures.length === 0) return '';
  const table = new Table({
    head: ['failure', 'verdict', 'runs', 'of', 'first seed'],
    style: { head: [], border: [] },
  });
  for (const { id, verdict, seeds } of failures) table.push([id, verdict, seeds.length, runs, seeds[0]]);
  return table.toString();
}

/** Exceptions that the original has too, and goals of coverage. */
function countTable({ counts, runs, goals }: CampaignFigures): string {
  const names = Object.keys(counts);
  if (names.length === 0) return '';
  const table = new Table({ head: ['counted', 'runs', 'of', 'times', 'longest'], style: { head: [], border: [] } });
  // What was never reached is what the table is for.
  for (const name of [...names.filter((each) => !goals.includes(each)).sort(), ...goals]) {
    const { runs: inRuns, times, largest } = counts[name] ?? { runs: 0, times: 0, largest: 0 };
    table.push([
      name,
      inRuns,
      runs,
      times,
      largest >= SECOND / 1000 ? `${(largest / SECOND).toFixed(3)} s` : largest || '',
    ]);
  }
  return table.toString();
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.slice(0, 300);
}
