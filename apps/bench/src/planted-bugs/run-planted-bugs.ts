import { Worker } from 'node:worker_threads';
import { SECOND } from '@quorate/kernel';
import type { HuntNews, HuntOrder } from '../hunt.worker.js';
import type { BenchIo } from '../run-bench.js';
import { PLANTED_BUGS } from './bugs.js';
import type { HuntedRun } from './hunt.js';
import { bundleWith } from './mutated-bundle.js';
import type { HuntingGround, PlantedBug } from './planted-bug.js';

/** What hunting for one bug came to. */
interface Outcome {
  /** Runs made, the last one included. */
  readonly runs: number;
  readonly last: HuntedRun;
  /** Decisions that were left of the last one, as text, when it was shrunk. */
  readonly decisions: readonly string[] | undefined;
}

/** What is looked for. */
export interface Wanted {
  /** Of bugs, or of the rules that they break; none: all. */
  readonly names: readonly string[];
  /** Runs for each of them, at most. */
  readonly seeds: number;
  /** Undefined: each where it is known to show. */
  readonly ground: HuntingGround | undefined;
  /** The most runs that shrinking may take for one bug; 0: none is shrunk. */
  readonly shrinkRuns: number;
}

export const SEEDS = 100;
/** Fewer than a person would give one bug, who does not have forty. */
export const SHRINK_RUNS = 200;
/** So many decisions can still be read. */
const MOST_SHOWN = 20;

/**
 * Looks for planted bugs, one run after the other, each until its rule is violated.
 *
 * 0 when all were found; 1 when one was not.
 */
export async function runPlantedBugs(
  { names, seeds: most, ground: elsewhere, shrinkRuns }: Wanted,
  { stdout, stderr }: BenchIo,
): Promise<number> {
  const isWanted = ({ name, rule }: PlantedBug): boolean => names.includes(name) || names.includes(rule);
  const bugs = (names.length === 0 ? PLANTED_BUGS : PLANTED_BUGS.filter(isWanted)).map((bug) => ({
    ...bug,
    ground: elsewhere ?? bug.ground,
  }));
  stdout.write(`${row('planted bug', 'rule', 'first', 'seeds', 'virtual s', 'left', 'scenario')}\n`);
  let isComplete = true;
  for (const ground of new Set(bugs.map((bug) => bug.ground))) {
    const { last } = await huntFor({ ground, rule: 'none' }, 1);
    if (last.first === undefined) continue;
    stderr.write(
      `bench planted-bugs: ${ground} without a bug violates ${last.first.invariant}: ${last.first.message}\n`,
    );
    isComplete = false;
  }
  for (const bug of bugs) {
    const { runs, last, decisions } = await huntFor(bug, most, shrinkRuns);
    isComplete &&= last.found !== undefined;
    const seeds = last.found === undefined ? `none of ${runs}` : `${runs}`;
    const virtual = ((last.found?.at ?? last.at) / SECOND).toFixed(1);
    const left = decisions === undefined ? '-' : `${decisions.length}`;
    stdout.write(`${row(bug.name, bug.rule, last.first?.invariant ?? '-', seeds, virtual, left, bug.ground)}\n`);
    if (last.found !== undefined) stdout.write(`    ${last.found.message}\n`);
    else stdout.write(`    ended: ${last.end.split('\n')[0]}; first: ${last.first?.message ?? 'nothing'}\n`);
    if (decisions !== undefined && decisions.length <= MOST_SHOWN) {
      for (const decision of decisions) stdout.write(`      ${decision}\n`);
    }
  }
  return isComplete ? 0 : 1;
}

type Row = [name: string, rule: string, first: string, seeds: string, virtual: string, left: string, ground: string];

function row(...[name, rule, first, seeds, virtual, left, ground]: Row): string {
  const texts = [name.padEnd(32), rule.padEnd(5), first.padEnd(10)];
  return [...texts, seeds.padStart(11), virtual.padStart(9), left.padStart(4), ` ${ground}`].join(' ');
}

/** Runs seeds 1, 2, … in a thread of their own, with the bug in it if there is one. */
export async function huntFor(
  target: PlantedBug | Pick<PlantedBug, 'ground' | 'rule'>,
  seeds: number,
  shrinkRuns = 0,
): Promise<Outcome> {
  const bundle = await bundleWith('find' in target ? target : undefined);
  const order: HuntOrder = { ground: target.ground, rule: target.rule, seeds, shrinkRuns };
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      let runs = 0;
      let last: HuntNews | undefined;
      new Worker(bundle.path, { workerData: order })
        .on('message', (news: HuntNews) => {
          runs += 1;
          last = news;
        })
        .on('error', reject)
        .on('exit', () =>
          last === undefined
            ? reject(new Error(`${target.ground}: no run`))
            : resolve({ runs, last: last.run, decisions: last.decisions }),
        );
    });
  } finally {
    bundle.remove();
  }
}
