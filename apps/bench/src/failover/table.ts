import type { Phase } from '@quorate/lab';

/** Phases of an outage in the order in which they follow each other. */
const PHASES = ['stop', 'detection', 'fencing', 'lock recovery', 'journal', 'decision', 'start', 'ARP'] as const;

type PhaseName = (typeof PHASES)[number];

/** For how long nobody was served in one case, in seconds of virtual time, and what was waited for. */
export interface Outage {
  readonly name: string;
  readonly seconds: number;
  readonly phases: Readonly<Partial<Record<PhaseName, number>>>;
}

/** One measured outage. */
export interface Sample {
  readonly seconds: number;
  readonly phases: readonly Phase[];
}

/** The mean of samples. */
export function outageOf(name: string, samples: readonly Sample[]): Outage {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / samples.length;
  const phases = PHASES.map((phase) => {
    const seconds = samples.map((sample) => sample.phases.find((each) => each.name === phase)?.seconds ?? 0);
    return [phase, meanOf(seconds)] as const;
  });
  return { name, seconds: meanOf(samples.map(({ seconds }) => seconds)), phases: Object.fromEntries(phases) };
}

/** Outages that are expected, by case: the whole, and then the phases in their order. */
export type Expected = Readonly<Record<string, readonly number[]>>;

const NAME_WIDTH = 24;
const CELL_WIDTH = 16;

/** Lines of a table, and how many of its figures are not what is expected. */
export interface OutageTable {
  readonly lines: readonly string[];
  readonly differing: number;
}

/** Each figure with what is expected of it in brackets; a `!` between them where they differ. Phases that never occur have no column. */
export function tableOf(outages: readonly Outage[], expected: Expected): OutageTable {
  const rows = outages.map((outage) => ({ outage, figures: figuresOf(outage), wanted: expected[outage.name] ?? [] }));
  const columns = ['outage', ...PHASES].flatMap((name, i) =>
    rows.some(({ figures, wanted }) => figures[i] !== 0 || (wanted[i] ?? 0) !== 0) ? [{ name, i }] : [],
  );
  const lines = rows.map(({ outage, figures, wanted }) =>
    lineOf(
      outage.name,
      columns.map(({ i }) => cellOf(figures[i]!, wanted[i])),
    ),
  );
  const head = lineOf(
    '',
    columns.map(({ name }) => name),
  );
  const differing = rows.flatMap(({ figures, wanted }) => figures.filter((value, i) => value !== wanted[i]));
  return { lines: [head, ...lines], differing: differing.length };
}

function lineOf(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(NAME_WIDTH)}${cells.map((cell) => cell.padStart(CELL_WIDTH)).join('')}`.trimEnd();
}

function cellOf(value: number, wanted: number | undefined): string {
  if (value === 0 && wanted === 0) return '-';
  return `${value.toFixed(2)}${value === wanted ? ' ' : '!'}(${wanted?.toFixed(2) ?? '?'})`;
}

/** What `tableOf` expects, from a run whose figures are right. */
export function expectedOf(outages: readonly Outage[]): Expected {
  return Object.fromEntries(outages.map((outage) => [outage.name, figuresOf(outage)]));
}

/** To hundredths of a second. */
function figuresOf({ seconds, phases }: Outage): readonly number[] {
  return [seconds, ...PHASES.map((phase) => phases[phase] ?? 0)].map((value) => Math.round(value * 100) / 100);
}
