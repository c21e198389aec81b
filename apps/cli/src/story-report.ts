import type { StoryResult } from '@quorate/lab';
import Table from 'cli-table3';
import pc from 'picocolors';
import { isOk, type StoryRun } from './run-record.js';

/** What is printed when the story is over: one table, the arithmetic, and the last clustat. */
export function reportOf(run: StoryRun): string {
  const parts = [tableOf(run.story), arithmeticOf(run.story), run.story?.steps.at(-1)?.clustat ?? '', verdictOf(run)];
  return parts.filter((part) => part !== '').join('\n');
}

function tableOf(story: StoryResult | undefined): string {
  if (story === undefined) return '';
  const table = new Table({
    head: ['step', 'owner', 'outage', 'F5 ok/failed', 'phases', 'walk-through'],
    style: { head: ['bold'], border: ['dim'] },
    wordWrap: true,
    colWidths: [25, 18, 9, 13, 44, 18],
  });
  for (const step of story.steps) {
    const owner =
      step.ownerBefore === step.ownerAfter
        ? (step.ownerAfter ?? '-')
        : `${step.ownerBefore ?? '-'} > ${step.ownerAfter ?? '-'}`;
    table.push([
      step.id,
      owner.replaceAll('my-', ''),
      step.outageSeconds === 0 ? '-' : `${step.outageSeconds.toFixed(1)} s`,
      `${step.requests.ok}/${step.requests.failed}`,
      step.phases.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`).join(', '),
      step.reference?.walkThrough ?? '',
    ]);
  }
  return table.toString();
}

function arithmeticOf(story: StoryResult | undefined): string {
  const lines = (story?.steps ?? [])
    .filter(({ reference }) => reference !== undefined)
    .map(({ id, reference }) => `  ${id}: ${reference!.arithmetic}`);
  return lines.length === 0 ? '' : `\nWhy the figures are what they are:\n${lines.join('\n')}\n`;
}

function verdictOf(run: StoryRun): string {
  const lines: string[] = [];
  for (const { step, observed } of run.story?.failures ?? []) {
    lines.push(pc.red(`${step}: not observed: ${observed.text}: ${observed.found.split('\n')[0]}`));
  }
  for (const { invariant, at, nodes, message } of run.violations) {
    lines.push(pc.red(`${invariant} violated at ${(at / 1e9).toFixed(3)} s by ${nodes.join(' ')}: ${message}`));
  }
  if (run.trouble !== undefined) lines.push(pc.red(run.trouble));
  const rules = `${run.checked.length} invariants checked, ${run.violations.length} violated`;
  const cost = `${run.virtualSeconds.toFixed(0)} s of cluster time in ${run.cpuSeconds.toFixed(2)} s of processor time`;
  const hash = run.traceHash === null ? '' : `, hash ${run.traceHash}`;
  const lost = run.lostSlices > 0 ? `, ${run.lostSlices} slices lost` : '';
  lines.push(
    `${isOk(run) ? pc.green('The story holds') : pc.red('The story does not hold')}: ${rules}; ${cost}${hash}${lost}.`,
  );
  return lines.join('\n');
}
