import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SECOND } from '@quorate/kernel';
import type { HuntOrder } from '../hunt.worker.js';
import type { BenchIo } from '../run-bench.js';
import { PLANTED_BUGS } from './bugs.js';
import type { HuntedRun } from './hunt.js';
import { bundleWith } from './mutated-bundle.js';
import type { PlantedBug } from './planted-bug.js';

/** What hunting for one bug came to. */
interface Outcome {
  /** Runs made, the last one included. */
  readonly runs: number;
  readonly last: HuntedRun;
}

const SEEDS = 100;

/**
 * Looks for the planted bugs that were named, or for all, one run after the other, each until its rule is violated.
 *
 * 0 when all were found; 1 when one was not; 4 for arguments that are none.
 */
export async function runPlantedBugs(
  args: readonly string[],
  { stdout, stderr }: BenchIo,
  bugs: readonly PlantedBug[] = PLANTED_BUGS,
): Promise<number> {
  const wanted = readArguments(args, bugs);
  if (typeof wanted === 'string') {
    stderr.write(`bench planted-bugs: ${wanted}\n`);
    return 4;
  }
  stdout.write(`${row('planted bug', 'rule', 'first', 'seeds', 'virtual s', 'scenario')}\n`);
  let isComplete = true;
  for (const ground of new Set(wanted.bugs.map((bug) => bug.ground))) {
    const { last } = await huntFor({ ground, rule: 'none' }, 1);
    if (last.first === undefined) continue;
    stderr.write(
      `bench planted-bugs: ${ground} without a bug violates ${last.first.invariant}: ${last.first.message}\n`,
    );
    isComplete = false;
  }
  for (const bug of wanted.bugs) {
    const { runs, last } = await huntFor(bug, wanted.seeds);
    isComplete &&= last.found !== undefined;
    const seeds = last.found === undefined ? `none of ${runs}` : `${runs}`;
    const virtual = ((last.found?.at ?? last.at) / SECOND).toFixed(1);
    stdout.write(`${row(bug.name, bug.rule, last.first?.invariant ?? '-', seeds, virtual, bug.ground)}\n`);
    if (last.found !== undefined) stdout.write(`    ${last.found.message}\n`);
    else stdout.write(`    ended: ${last.end.split('\n')[0]}; first: ${last.first?.message ?? 'nothing'}\n`);
  }
  return isComplete ? 0 : 1;
}

function readArguments(
  args: readonly string[],
  bugs: readonly PlantedBug[],
): { readonly bugs: readonly PlantedBug[]; readonly seeds: number } | string {
  let parsed: { readonly values: { readonly seeds?: string | undefined }; readonly positionals: readonly string[] };
  try {
    parsed = parseArgs({ args: [...args], options: { seeds: { type: 'string' } }, allowPositionals: true });
  } catch (error) {
    return (error as Error).message;
  }
  const text = parsed.values.seeds ?? `${SEEDS}`;
  const seeds = Number(text);
  if (!Number.isInteger(seeds) || seeds < 1) return `--seeds: found "${text}", expected a whole number from 1`;
  const names = parsed.positionals;
  const unknown = names.find((name) => !bugs.some((bug) => bug.name === name || bug.rule === name));
  if (unknown !== undefined) {
    return `found "${unknown}", expected the rule of a planted bug or one of ${bugs.map(({ name }) => name).join(', ')}`;
  }
  const isWanted = ({ name, rule }: PlantedBug): boolean => names.includes(name) || names.includes(rule);
  return { bugs: names.length === 0 ? bugs : bugs.filter(isWanted), seeds };
}

function row(name: string, rule: string, first: string, seeds: string, virtual: string, ground: string): string {
  const left = `${name.padEnd(32)} ${rule.padEnd(5)} ${first.padEnd(10)}`;
  return `${left} ${seeds.padStart(11)} ${virtual.padStart(9)}  ${ground}`;
}

/** Runs seeds 1, 2, … in a thread of their own, with the bug in it if there is one. */
export async function huntFor(
  target: PlantedBug | Pick<PlantedBug, 'ground' | 'rule'>,
  seeds: number,
): Promise<Outcome> {
  const bundle = await bundleWith('find' in target ? target : undefined);
  const order: HuntOrder = { ground: target.ground, rule: target.rule, seeds };
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      let runs = 0;
      let last: HuntedRun | undefined;
      new Worker(bundle.path, { workerData: order })
        .on('message', (run: HuntedRun) => {
          runs += 1;
          last = run;
        })
        .on('error', reject)
        .on('exit', () =>
          last === undefined ? reject(new Error(`${target.ground}: no run`)) : resolve({ runs, last }),
        );
    });
  } finally {
    bundle.remove();
  }
}
