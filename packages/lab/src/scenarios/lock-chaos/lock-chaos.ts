import { fork, type Nanos, SECOND, type Stamped, type Task } from '@quorate/kernel';
import type { Lab, Observed, Scenario } from '../../lab.js';
import { Arena } from '../../nemesis/arena.js';
import { subset } from '../../nemesis/draw.js';
import { Nemesis } from '../../nemesis/nemesis.js';
import { swarmPlan } from '../../nemesis/presets.js';
import type { Topology } from '../../topology.js';
import { GOALS, type Settling } from '../storm/liveness.js';
import { fenceDefect, Operator } from '../storm/operator.js';
import { type MachineView, OVERVIEW_KINDS, Overview } from '../storm/overview.js';
import { joinAll, waiting } from '../storm/workload.js';
import { LOCK_FAMILY_NAMES, type LockFamilyName, lockFamilies } from './families.js';
import { LockPicture, PICTURE_KINDS } from './lock-picture.js';
import { LOCKSPACE, LockWorkload, REGISTERS } from './workload.js';

export interface LockChaosOptions {
  readonly topology: Topology;
  /** How long things break; 60 s unless told. */
  readonly chaos?: Nanos;
}

/** What the chaos found; `ok` only if every request has ended and every node that was healed gets locks. */
export interface LockChaosResult {
  readonly ok: boolean;
  /** `step` is the id of a goal, `L1` to `L4`, or `boot` and `end`. */
  readonly failures: readonly { readonly step: string; readonly observed: Observed }[];
  /** Families that the run had. */
  readonly families: readonly string[];
  /** Commands that were run. */
  readonly commands: number;
  /** Machines that somebody had to reset because they were ill. */
  readonly resets: number;
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

const STEPS = ['boot', 'chaos', 'settle', 'drain'] as const;
const TITLES = {
  boot: 'five nodes boot, form a cluster and have a lockspace',
  chaos: 'things break, masters, directory nodes and holders first of all',
  settle: 'nothing breaks any more: every request ends, and every node gets locks',
  drain: 'all locks are given back, and nothing is left of them',
} as const;

/** Goals of the cluster below the lock manager, and that every request ends. */
const CLUSTER_GOALS = GOALS.filter(({ id }) => ['L1', 'L2', 'L3', 'L4'].includes(id));
/** A node gets a lock when all that were asked for before have ended. */
const LOCKS_WITHIN: Nanos = Math.max(...CLUSTER_GOALS.map(({ within }) => within)) + 30 * SECOND;

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
  readonly #options: LockChaosOptions;
  readonly #names: ReadonlyMap<number, string>;
  readonly #overview: Overview;
  readonly #picture = new LockPicture(LOCKSPACE);
  readonly #failures: { step: string; observed: Observed }[] = [];
  #arena: Arena | undefined;
  #operator: Operator | undefined;
  #isClosing = false;

  constructor(options: LockChaosOptions) {
    this.#options = options;
    const { machines } = options.topology;
    this.#names = new Map(machines.map(({ id, name }) => [id, name]));
    this.#overview = new Overview(machines.map(({ id }) => id));
  }

  onFact(fact: Stamped): void {
    this.#overview.hear(fact);
    this.#picture.hear(fact);
    if (fact.kind !== 'node.state') return;
    this.#arena?.powerChanged(this.#names.get(fact.node)!, this.#overview.of(fact.node).state);
  }

  *script(lab: Lab): Task<LockChaosResult> {
    const { topology, chaos = CHAOS } = this.#options;
    const choices = lab.choices('swarm');
    const plan = swarmPlan(LOCK_FAMILY_NAMES, choices);
    const mostDown = choices.choose('most-down', 4) === 3 ? lab.machines.length - 1 : lab.machines.length - MAJORITY;
    const stability = choices.choose('stability', 11) * SECOND;
    this.#arena = new Arena(lab, topology.link, { mostDown, stability });
    const target = {
      picture: this.#picture,
      hot: REGISTERS,
      nameOf: (node: number): string => this.#names.get(node)!,
    };
    const nemesis = new Nemesis(this.#arena, plan, lockFamilies(target));
    const defectOf = (view: MachineView): string | undefined => this.#defectOf(lab, view);
    this.#operator = new Operator({ lab, overview: this.#overview, names: this.#names, defectOf, notice: NOTICE });
    const workload = new LockWorkload(lab, (machine) => this.#isInUse(machine));
    yield* this.#step(lab, 'boot', () => this.#boot(lab));
    if (this.#failures.length === 0) yield* this.#work(lab, nemesis, workload, chaos);
    return {
      ok: this.#failures.length === 0,
      failures: this.#failures,
      families: plan.families.map(({ family }) => family),
      commands: workload.commands,
      resets: this.#operator.resets,
    };
  }

  // ── phases ─────────────────────────────────────────────────────────────────────────────────────────────────────

  *#boot(lab: Lab): Task {
    lab.powerOn(...lab.machines);
    for (const machine of lab.machines) yield* fork(this.#keep(lab, machine));
    const nodes = [...this.#names.keys()];
    const until = lab.now() + 120 * SECOND;
    const isWell = (): boolean => nodes.every((node) => this.#picture.isRunning(node));
    while (!isWell() && lab.now() < until) yield* lab.wait(SECOND);
    const missing = nodes.filter((node) => !this.#picture.isRunning(node)).map((node) => `node ${node}`);
    if (missing.length > 0) this.#fail(lab, 'boot', 'all have the lockspace within 120 s', missing);
    yield* lab.wait(5 * SECOND);
  }

  *#work(lab: Lab, nemesis: Nemesis<LockFamilyName>, workload: LockWorkload, chaos: Nanos): Task {
    yield* fork(this.#operator!.lookAfter());
    const tasks = yield* workload.start();
    yield* this.#step(lab, 'chaos', () => nemesis.run(chaos));
    workload.calm();
    const core = this.#heal(lab, this.#arena!);
    yield* this.#step(lab, 'settle', () => this.#settle(lab, core, workload));
    workload.end();
    if (this.#failures.length === 0) yield* this.#step(lab, 'drain', () => this.#drain(lab, core, workload, tasks));
  }

  /** Ends all faults. Gives the machines that are healed; the others are switched off for good. */
  #heal(lab: Lab, arena: Arena): ReadonlyMap<number, string> {
    arena.heal();
    const choices = lab.choices('heal');
    const isPart = choices.choose('core', 2) === 1;
    const part = subset(choices, 'machine', lab.machines, MAJORITY, false);
    const core = new Set(isPart ? part : lab.machines);
    const abandoned = new Set(lab.machines.filter((machine) => !core.has(machine)));
    this.#operator!.abandoned = abandoned;
    // A fence agent gives them their power back, and they stay alone.
    for (const machine of abandoned) lab.setLink(machine, false);
    lab.powerOff(...abandoned);
    lab.powerOn(...core);
    return new Map([...this.#names].filter(([, machine]) => core.has(machine)));
  }

  *#settle(lab: Lab, core: ReadonlyMap<number, string>, workload: LockWorkload): Task {
    const healedAt = lab.now();
    const usable = new Set<number>();
    for (const [node, machine] of core) yield* fork(this.#probe(lab, node, machine, workload, usable));
    let wellSince: Nanos | undefined;
    while (lab.now() - healedAt < MOST_SETTLING) {
      const pending = workload.pending.filter(({ since }) => since <= healedAt);
      const missing = this.#missing({ overview: this.#overview, core, pending, usable });
      const waited = lab.now() - Math.max(healedAt, ...[...core.keys()].map((node) => this.#readyAt(lab, node)));
      const late = missing.filter(({ within }) => waited >= within);
      for (const { id, statement, within, found } of late)
        this.#fail(lab, id, `${statement} within ${within / SECOND} s`, found);
      if (late.length > 0) return;
      if (missing.length > 0) wellSince = undefined;
      else wellSince ??= lab.now();
      if (wellSince !== undefined && lab.now() - wellSince >= STAYS_TRUE) return;
      yield* lab.wait(SECOND);
    }
    this.#fail(lab, 'L1', `the cluster is well for ${STAYS_TRUE / SECOND} s`, []);
  }

  *#drain(
    lab: Lab,
    core: ReadonlyMap<number, string>,
    workload: LockWorkload,
    tasks: Parameters<typeof joinAll>[1],
  ): Task {
    if (!(yield* joinAll(lab, tasks, 60 * SECOND))) {
      this.#fail(lab, 'L4', 'the last requests end within 60 s', waiting(workload.pending));
      return;
    }
    this.#isClosing = true;
    for (const machine of core.values()) yield* lab.exec(machine, `killall keeper; purge ${LOCKSPACE}`);
    yield* lab.wait(REST);
    this.#operator!.isOff = true;
  }

  // ── what goes on beside ────────────────────────────────────────────────────────────────────────────────────────

  /** While a machine is up there is a lock on each register, so that the value block stays. */
  *#keep(lab: Lab, machine: string): Task {
    while (!this.#isClosing) {
      if (this.#isInUse(machine)) yield* lab.exec(machine, `keeper ${LOCKSPACE} ${REGISTERS.join(' ')}`);
      yield* lab.wait(SECOND);
    }
  }

  /** Takes a lock on a machine as soon as that is possible. */
  *#probe(lab: Lab, node: number, machine: string, workload: LockWorkload, usable: Set<number>): Task {
    while (!usable.has(node) && !this.#isClosing) {
      yield* lab.wait(2 * SECOND);
      if (!this.#arena!.isUp(machine)) continue;
      if ((yield* workload.run(machine, `locks ${LOCKSPACE} 0 a=probe:EX .`)) === 0) usable.add(node);
    }
  }

  /**
   * Without quorum nobody fences a node whose corosync was killed. Those that gave up waiting for quorum at their boot are reset
   * together, so that they wait at the same time.
   */
  #defectOf(lab: Lab, view: MachineView): string | undefined {
    if (!this.#arena!.isOver) return undefined;
    if (view.hasLostCorosync) return 'has no corosync';
    if (view.isQuorate) return fenceDefect(view, this.#names, lab.now());
    const since = [...this.#names]
      .filter(([, machine]) => this.#isInUse(machine))
      .map(([node]) => this.#overview.of(node))
      .filter((each) => !each.isQuorate)
      .map(({ upSince }) => Math.max(upSince, this.#arena!.overSince));
    return lab.now() - Math.min(...since) >= NO_QUORUM ? 'has no quorum' : undefined;
  }

  #isInUse(machine: string): boolean {
    return this.#arena!.isUp(machine) && !this.#operator!.abandoned.has(machine);
  }

  // ── what is known ──────────────────────────────────────────────────────────────────────────────────────────────

  /** When a machine's last boot was over; now while it is off, boots, or is ill and will be reset. */
  #readyAt(lab: Lab, node: number): Nanos {
    const { state, upSince } = this.#overview.of(node);
    return state !== 'up' || this.#operator!.illnessOf(node) !== undefined ? lab.now() : upSince;
  }

  #missing(state: Settling): readonly { id: string; statement: string; within: Nanos; found: readonly string[] }[] {
    const locks = [...state.core].filter(([node]) => !state.usable.has(node));
    const goals = CLUSTER_GOALS.map(({ id, statement, within, missing }) => {
      return { id, statement, within, found: missing(state) };
    });
    const found = locks.map(([, machine]) => `${machine} has got no lock`);
    return [...goals, { id: 'L4', statement: 'every live node gets a lock', within: LOCKS_WITHIN, found }].filter(
      (goal) => goal.found.length > 0,
    );
  }

  *#step(lab: Lab, id: (typeof STEPS)[number], act: () => Task): Task {
    lab.progress({ kind: 'step-began', id, title: TITLES[id], number: STEPS.indexOf(id) + 1, of: STEPS.length });
    yield* act();
    lab.progress({ kind: 'step-ended', id });
  }

  #fail(lab: Lab, step: string, text: string, missing: readonly string[]): void {
    const observed: Observed = { text, isTrue: false, found: missing.join('; ') };
    this.#failures.push({ step, observed });
    lab.progress({ kind: 'observed', step, observed });
  }
}
