import { SECOND } from '@quorate/kernel';
import { type ChaosRun, chaos } from '../../../packages/totem/test/chaos.js';
import type { BenchIo } from './run-bench.js';

const HOUR = 3600 * SECOND;

/**
 * Runs the chaos of totem's own tests for as many seeds as were asked for, 2,000 unless told, and says what it came to.
 *
 * 0 when no rule was violated; 1 when one was, with its seed; 4 for arguments that are none.
 */
export function runTotemChaos(seeds: number, { stdout, stderr }: BenchIo): number {
  const begin = performance.now();
  const runs: ChaosRun[] = [];
  let failures = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const run = chaos(seed);
    runs.push(run);
    const first = run.violations[0];
    if (first === undefined) continue;
    failures += 1;
    stderr.write(`seed ${seed} violates ${first.invariant}: ${first.message}\n`);
  }
  for (const line of report(runs, performance.now() - begin)) stdout.write(`${line}\n`);
  return failures === 0 ? 0 : 1;
}

function report(runs: readonly ChaosRun[], wallMs: number): string[] {
  const sum = (of: (run: ChaosRun) => number): string => total(runs, of).toLocaleString('en');
  const hours = (total(runs, ({ virtualTime }) => virtualTime) / HOUR).toFixed(1);
  const perSecond = (runs.length / (wallMs / 1000)).toFixed(1);
  const violated = runs.filter(({ violations }) => violations.length > 0).length;
  return [
    `${runs.length} seeds, ${perSecond} per wall s; ${hours} virtual hours, ${sum(({ datagrams }) => datagrams)} datagrams`,
    '',
    ...table('nodes crashed in state', {
      operational: sum(({ crashes }) => crashes.operational),
      gather: sum(({ crashes }) => crashes.gather),
      commit: sum(({ crashes }) => crashes.commit),
      recovery: sum(({ crashes }) => crashes.recovery),
    }),
    ...table('what else happened', {
      pauses: sum(({ pauses }) => pauses),
      partitions: sum(({ partitions }) => partitions),
      'flapping partitions': sum(({ flaps }) => flaps),
      'one-way cuts': sum(({ oneWayCuts }) => oneWayCuts),
      'regular configurations': sum(({ configurations }) => configurations),
    }),
    `${violated} of ${runs.length} seeds violate a rule`,
  ];
}

function total(runs: readonly ChaosRun[], of: (run: ChaosRun) => number): number {
  return runs.reduce((all, run) => all + of(run), 0);
}

function table(title: string, rows: Readonly<Record<string, string>>): string[] {
  return [title, ...Object.entries(rows).map(([name, count]) => `  ${name.padEnd(24)}${count.padStart(12)}`), ''];
}
