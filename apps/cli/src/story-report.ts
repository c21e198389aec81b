import type { StoryResult, StoryStep } from '@quorate/lab';
import Table from 'cli-table3';
import type { Colours, TextStream } from './command-io.js';
import type { StoryRun } from './run-record.js';
import { wrap } from './views/text-width.js';

/** Columns for a report: those of the terminal from 80 to 120, 100 where there is none. */
export function reportWidth({ isTTY, columns }: TextStream): number {
  return isTTY === true && columns !== undefined ? Math.min(Math.max(columns, 80), 120) : 100;
}

/** What is printed when the story is over: one table, the arithmetic, and the last clustat. No line is wider than `columns`. */
export function reportOf(run: StoryRun, columns: number, colours: Colours): string {
  const parts = [
    tableOf(run.story, columns, colours),
    arithmeticOf(run.story, columns),
    run.story?.steps.at(-1)?.clustat ?? '',
    verdictText(run, columns, colours),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

const HEAD = ['step', 'owner', 'outage', 'F5 ok/bad', 'phases, seconds', 'walk-through'];
/** Of all columns but the phases', with a blank on both sides. */
const WIDTHS = { step: 19, owner: 11, outage: 9, requests: 11, walkThrough: 16 };
/** Below that the walk-through's figures stand with the arithmetic only. */
const WIDE = 100;

function tableOf(story: StoryResult | undefined, columns: number, { bold }: Colours): string {
  if (story === undefined) return '';
  const isWide = columns >= WIDE;
  const fixed = [WIDTHS.step, WIDTHS.owner, WIDTHS.outage, WIDTHS.requests];
  const further = isWide ? [WIDTHS.walkThrough] : [];
  const borders = fixed.length + further.length + 2;
  const phases = columns - borders - [...fixed, ...further].reduce((sum, width) => sum + width, 0);
  const colWidths = [...fixed, phases, ...further];
  const table = new Table({
    head: HEAD.slice(0, colWidths.length).map((name) => bold(name)),
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths,
  });
  table.push(...story.steps.map((step) => rowOf(step, phases - 2).slice(0, colWidths.length)));
  return table.toString();
}

/** Machines without their common `my-`: the columns are narrow. */
function rowOf(step: StoryStep, phasesWidth: number): readonly string[] {
  const { id, ownerBefore, ownerAfter, outageSeconds, requests, reference } = step;
  const owner = ownerBefore === ownerAfter ? (ownerAfter ?? '-') : `${ownerBefore ?? '-'} > ${ownerAfter ?? '-'}`;
  return [
    id.replaceAll('my-', ''),
    owner.replaceAll('my-', ''),
    outageSeconds === 0 ? '-' : `${outageSeconds.toFixed(1)} s`,
    `${requests.ok}/${requests.failed}`,
    phasesText(step, phasesWidth),
    reference?.walkThrough ?? '',
  ];
}

const NO_BREAK = '\u00a0';

/** Lines of whole phases: a name stays with its seconds. */
function phasesText({ phases }: StoryStep, width: number): string {
  const each = phases.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`.replaceAll(' ', NO_BREAK));
  return wrap(each.join(', '), width, '').join('\n').replaceAll(NO_BREAK, ' ');
}

function arithmeticOf(story: StoryResult | undefined, columns: number): string {
  const lines = (story?.steps ?? []).flatMap(({ id, reference }) => {
    if (reference === undefined) return [];
    const { walkThrough, arithmetic } = reference;
    return wrap(`  ${id}: ${arithmetic}; the walk-through: ${walkThrough}`, columns, '    ');
  });
  return lines.length === 0 ? '' : `\nWhy the figures are what they are:\n${lines.join('\n')}\n`;
}

function verdictText(run: StoryRun, columns: number, { green, red }: Colours): string {
  const mistakes: string[] = [];
  for (const { step, observed } of run.story?.failures ?? []) {
    mistakes.push(`${step}: not observed: ${observed.text}: ${observed.found.split('\n')[0]}`);
  }
  for (const { invariant, at, nodes, message } of run.violations) {
    mistakes.push(`${invariant} violated at ${(at / 1e9).toFixed(3)} s by ${nodes.join(' ')}: ${message}`);
  }
  if (run.trouble !== undefined) mistakes.push(run.trouble);
  const { length: judged } = run.checked.filter((id) => !run.idle.includes(id));
  const rules = `${run.checked.length} invariants, ${judged} had something to judge, ${run.violations.length} violated`;
  const cost = `${run.virtualSeconds.toFixed(0)} s of cluster time in ${run.cpuSeconds.toFixed(2)} s of processor time`;
  const hash = run.traceHash === null ? '' : `, hash ${run.traceHash}`;
  const lost = run.lostSlices > 0 ? `, ${run.lostSlices} slices lost` : '';
  const verdict = run.verdict === 'passed' ? green('The story holds') : red('The story does not hold');
  return [
    // Not broken: these are for searching and copying.
    ...mistakes.map((mistake) => red(mistake)),
    ...wrap(`${verdict}: ${rules}; ${cost}${hash}${lost}.`, columns, '  '),
  ].join('\n');
}
