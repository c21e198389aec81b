import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SECOND } from '@quorate/kernel';
import type { HuntNews, HuntOrder } from '../hunt.worker.js';
import type { BenchIo } from '../run-bench.js';
import { PLANTED_BUGS } from './bugs.js';
import type { HuntedRun } from './hunt.js';
import { bundleWith } from './mutated-bundle.js';
import { HUNTING_GROUNDS, type HuntingGround, type PlantedBug } from './planted-bug.js';

/** What hunting for one bug came to. */
interface Outcome {
  /** Runs made, the last one included. */
  readonly runs: number;
  readonly last: HuntedRun;
  /** Decisions that were left of the last one, as text, when it was shrunk. */
  readonly decisions: readonly string[] | undefined;
}

/** What the command line asks for. */
interface Wanted {
  readonly bugs: readonly PlantedBug[];
  readonly seeds: number;
  /** The most runs that shrinking may take for one bug; 0: none is shrunk. */
  readonly shrinkRuns: number;
}

const SEEDS = 100;
/** Fewer than a person would give one bug, who does not have forty. */
const SHRINK_RUNS = 200;
/** So many decisions can still be read. */
const MOST_SHOWN = 20;

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
  stdout.write(`${row('planted bug', 'rule', 'first', 'seeds', 'virtual s', 'left', 'scenario')}\n`);
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
    const { runs, last, decisions } = await huntFor(bug, wanted.seeds, wanted.shrinkRuns);
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

function readArguments(args: readonly string[], bugs: readonly PlantedBug[]): Wanted | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return (error as Error).message;
  }
  const seeds = countOf('seeds', parsed.values.seeds ?? `${SEEDS}`);
  const shrinkRuns = countOf('runs', parsed.values.runs ?? `${SHRINK_RUNS}`);
  if (typeof seeds === 'string') return seeds;
  if (typeof shrinkRuns === 'string') return shrinkRuns;
  const names = parsed.positionals;
  const unknown = names.find((name) => !bugs.some((bug) => bug.name === name || bug.rule === name));
  if (unknown !== undefined) {
    return `found "${unknown}", expected the rule of a planted bug or one of ${bugs.map(({ name }) => name).join(', ')}`;
  }
  const ground = parsed.values.in;
  if (ground !== undefined && !isGround(ground)) {
    return `--in: found "${ground}", expected one of ${HUNTING_GROUNDS.join(', ')}`;
  }
  const isWanted = ({ name, rule }: PlantedBug): boolean => names.includes(name) || names.includes(rule);
  const found = names.length === 0 ? bugs : bugs.filter(isWanted);
  return {
    bugs: ground === undefined ? found : found.map((bug) => ({ ...bug, ground })),
    seeds,
    shrinkRuns: parsed.values.shrink ? shrinkRuns : 0,
  };
}

function countOf(option: string, text: string): number | string {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  return `--${option}: found "${text}", expected a whole number from 1`;
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      in: { type: 'string' },
      shrink: { type: 'boolean', default: false },
      runs: { type: 'string' },
    },
    allowPositionals: true,
  });
}

function isGround(text: string): text is HuntingGround {
  return HUNTING_GROUNDS.some((ground) => ground === text);
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
