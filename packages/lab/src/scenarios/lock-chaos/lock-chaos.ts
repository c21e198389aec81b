import { fork, type Nanos, SECOND, type Stamped, type Task, type TaskId } from '@quorate/kernel';
import { type ChaosOptions, type ChaosResult, ChaosRun } from '../../chaos/chaos-run.js';
import { GOALS, type Goal, type Settling } from '../../chaos/liveness.js';
import { fenceDefect } from '../../chaos/operator.js';
import { type MachineView, OVERVIEW_KINDS } from '../../chaos/overview.js';
import { joinAll, waiting } from '../../chaos/pending.js';
import type { Lab, Scenario } from '../../lab.js';
import { Nemesis } from '../../nemesis/nemesis.js';
import { swarmPlan } from '../../nemesis/presets.js';
import { LOCK_FAMILY_NAMES, type LockFamilyName, lockFamilies } from './families.js';
import { LockPicture, PICTURE_KINDS } from './lock-picture.js';
import { LOCKSPACES, LockWorkload, REGISTERS } from './workload.js';

/** What the chaos found; `ok` only if every request has ended and every node that was healed gets locks. */
export interface LockChaosResult extends ChaosResult {
  /** Commands that were run. */
  readonly commands: number;
}

const CHAOS: Nanos = 60 * SECOND;
/** The longest that settling may take, whatever happens meanwhile. */
const MOST_SETTLING: Nanos = 300 * SECOND;
const STAYS_TRUE: Nanos = 5 * SECOND;
/** How long somebody takes to notice that a machine is ill. */
const NOTICE: Nanos = 8 * SECOND;
/** A machine that has no quorum for so long with nothing broken has given up at its boot. */
const NO_QUORUM: Nanos = 60 * SECOND;
/** Rules that wait for calm look at a lockspace that has had it for 60 s. */
const REST: Nanos = 75 * SECOND;
/** So many votes of five are a majority. */
const MAJORITY = 3;

const STEPS = {
  boot: 'five nodes boot, form a cluster and have a lockspace',
  chaos: 'things break, masters, directory nodes and holders first of all',
  settle: 'nothing breaks any more: every request ends, and every node gets locks',
  drain: 'all locks are given back, and nothing is left of them',
} as const;

/** Goals of the cluster below the lock manager, and that every request ends. */
const CLUSTER_GOALS = GOALS.filter(({ id }) => ['L1', 'L2', 'L3', 'L4'].includes(id));
const LOCK_GOALS: readonly Goal[] = [
  ...CLUSTER_GOALS,
  {
    id: 'L4',
    statement: 'every live node gets a lock',
    // When all that were asked for before have ended.
    within: Math.max(...CLUSTER_GOALS.map(({ within }) => within)) + 30 * SECOND,
    missing: ({ core, usable }) =>
      [...core].filter(([node]) => !usable.has(node)).map(([, machine]) => `${machine} has got no lock`),
  },
];

/**
 * Lock managers in weather: on five nodes that have nothing above them, programs take locks of a lockspace while a nemesis kills and
 * cuts off the nodes that matter for them; then everything is healed, or a majority, and every request has to end.
 *
 * Whether what they were granted was right is for the rules to say: those of the lock manager, and that of the registers which the
 * programs keep in value blocks.
 */
export class LockChaos implements Scenario<LockChaosResult> {
  readonly name = 'lock-chaos';
  readonly title = 'Locks under faults that aim at them';
  readonly kinds: readonly string[] = [...new Set([...OVERVIEW_KINDS, ...PICTURE_KINDS])];
  readonly #options: ChaosOptions;
  #lockspace: string = LOCKSPACES.directory;
  #picture = new LockPicture(this.#lockspace);
  #run: ChaosRun | undefined;
  /** Machines that have left the lockspace for a while. */
  readonly #away = new Set<string>();
  #isClosing = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  onFact(fact: Stamped): void {
    this.#picture.hear(fact);
    this.#run?.hear(fact);
  }

  *script(lab: Lab): Task<LockChaosResult> {
    const { topology, chaos = CHAOS } = this.#options;
    if (lab.choices('lockspace').choose('nodir', 4) === 3) {
      this.#lockspace = LOCKSPACES.nodir;
      this.#picture = new LockPicture(this.#lockspace);
    }
    const choices = lab.choices('swarm');
    const plan = swarmPlan(LOCK_FAMILY_NAMES, choices);
    const mostDown = choices.choose('most-down', 4) === 3 ? lab.machines.length - 1 : lab.machines.length - MAJORITY;
    const stability = choices.choose('stability', 11) * SECOND;
    const run: ChaosRun = new ChaosRun({
      lab,
      topology,
      budget: { mostDown, stability },
      steps: STEPS,
      notice: NOTICE,
      defectOf: (view) => defectOf(run, view),
    });
    this.#run = run;
    const target = {
      picture: this.#picture,
      hot: REGISTERS,
      lockspace: this.#lockspace,
      away: this.#away,
      nameOf: (node: number): string => run.names.get(node)!,
    };
    const nemesis = new Nemesis(run.arena, plan, lockFamilies(target));
    const workload = new LockWorkload(lab, this.#lockspace, (machine) => this.#isInUse(run, machine));
    yield* run.step('boot', () => this.#boot(run));
    if (run.failures.length === 0) yield* this.#work(run, nemesis, workload, chaos);
    return { ...run.result(plan), commands: workload.commands };
  }

  // ── phases ─────────────────────────────────────────────────────────────────────────────────────────────────────

  *#boot(run: ChaosRun): Task {
    const { lab } = run;
    lab.powerOn(...lab.machines);
    for (const machine of lab.machines) yield* fork(this.#keep(run, machine));
    const nodes = [...run.names.keys()];
    const missing = (): readonly number[] => nodes.filter((node) => !this.#picture.isRunning(node));
    yield* run.becomes(() => missing().length === 0, 120 * SECOND);
    const left = missing().map((node) => `node ${node}`);
    if (left.length > 0) run.fail('boot', 'all have the lockspace within 120 s', left);
    yield* lab.wait(5 * SECOND);
  }

  *#work(run: ChaosRun, nemesis: Nemesis<LockFamilyName>, workload: LockWorkload, chaos: Nanos): Task {
    yield* fork(run.operator.lookAfter());
    const tasks = yield* workload.start();
    yield* run.step('chaos', () => nemesis.run(chaos));
    workload.calm();
    const core = run.heal({ smallestCore: MAJORITY, isUnplugged: true, notice: NOTICE });
    yield* run.step('settle', () => this.#settle(run, core, workload));
    workload.end();
    if (run.failures.length === 0) yield* run.step('drain', () => this.#drain(run, core, workload, tasks));
  }

  *#settle(run: ChaosRun, core: ReadonlyMap<number, string>, workload: LockWorkload): Task {
    const { lab, overview } = run;
    const healedAt = lab.now();
    const usable = new Set<number>();
    for (const [node, machine] of core) yield* fork(this.#probe(run, node, machine, workload, usable));
    const state = (): Settling => {
      const pending = workload.pending.filter(({ since }) => since <= healedAt);
      return { overview, core, pending, usable };
    };
    yield* run.settle({ goals: LOCK_GOALS, most: MOST_SETTLING, staysTrue: STAYS_TRUE, state });
  }

  *#drain(run: ChaosRun, core: ReadonlyMap<number, string>, workload: LockWorkload, tasks: readonly TaskId[]): Task {
    const { lab } = run;
    if (!(yield* joinAll(lab, tasks, 60 * SECOND))) {
      run.fail('L4', 'the last requests end within 60 s', waiting(workload.pending));
      return;
    }
    this.#isClosing = true;
    for (const machine of core.values()) yield* lab.exec(machine, `killall keeper; purge ${this.#lockspace}`);
    yield* lab.wait(REST);
    run.operator.isOff = true;
  }

  // ── what goes on beside ────────────────────────────────────────────────────────────────────────────────────────

  #isInUse(run: ChaosRun, machine: string): boolean {
    return run.isInUse(machine) && !this.#away.has(machine);
  }

  /** While a machine is up there is a lock on each register, so that the value block stays. */
  *#keep(run: ChaosRun, machine: string): Task {
    while (!this.#isClosing) {
      if (this.#isInUse(run, machine)) yield* run.lab.exec(machine, `keeper ${this.#lockspace} ${REGISTERS.join(' ')}`);
      yield* run.lab.wait(SECOND);
    }
  }

  /** Takes a lock on a machine as soon as that is possible. */
  *#probe(run: ChaosRun, node: number, machine: string, workload: LockWorkload, usable: Set<number>): Task {
    while (!usable.has(node) && !this.#isClosing) {
      yield* run.lab.wait(2 * SECOND);
      if (!run.arena.isUp(machine)) continue;
      if ((yield* workload.run(machine, `locks ${this.#lockspace} 0 a=probe:EX .`)) === 0) usable.add(node);
    }
  }
}

/**
 * Without quorum nobody fences a node whose corosync was killed. Those that gave up waiting for quorum at their boot are reset
 * together, so that they wait at the same time.
 */
function defectOf(run: ChaosRun, view: MachineView): string | undefined {
  const { lab, arena, names, overview } = run;
  if (!arena.isOver) return undefined;
  if (view.hasLostCorosync) return 'has no corosync';
  if (view.isQuorate) return fenceDefect(view, names, lab.now());
  const since = [...names]
    .filter(([, machine]) => run.isInUse(machine))
    .map(([node]) => overview.of(node))
    .filter((each) => !each.isQuorate)
    .map(({ upSince }) => Math.max(upSince, arena.overSince));
  return lab.now() - Math.min(...since) >= NO_QUORUM ? 'has no quorum' : undefined;
}
