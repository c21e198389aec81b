import { type Fact, fork, type Nanos, SECOND, type Stamped, type Task } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';
import type { Lab, Observed, Scenario } from '../../lab.js';
import { Arena } from '../../nemesis/arena.js';
import { subset } from '../../nemesis/draw.js';
import { FAMILIES, type FamilyName } from '../../nemesis/families/index.js';
import { Nemesis } from '../../nemesis/nemesis.js';
import { type NemesisPreset, nemesisPlan } from '../../nemesis/presets.js';
import type { Topology } from '../../topology.js';
import { checkVolume } from '../hyperv-blog/volume-check.js';
import { GOALS, type Settling } from './liveness.js';
import { fenceDefect, Operator, STARTED_AFTER } from './operator.js';
import { type MachineView, OVERVIEW_KINDS, Overview } from './overview.js';
import { joinAll, Workload, waiting } from './workload.js';

export interface StormOptions {
  readonly topology: Topology;
  readonly nemesis: NemesisPreset;
  /** How long things break; 120 s unless told. */
  readonly chaos?: Nanos;
}

/** What a storm found; `ok` only if the cluster got well again and nothing that was promised is lost. */
export interface StormResult {
  readonly ok: boolean;
  /** `step` is the id of the goal or rule that does not hold: `L1` to `L6`, `S26`, or `boot` and `end`. */
  readonly failures: readonly { readonly step: string; readonly observed: Observed }[];
  /** Families that the run had, and kinds of work. */
  readonly families: readonly string[];
  readonly work: readonly string[];
  readonly requests: { readonly ok: number; readonly failed: number };
  /** Machines that somebody had to reset because they were ill. */
  readonly resets: number;
}

const SERVICE = 'my_service_group';
const CHAOS: Nanos = 120 * SECOND;
/** The longest that settling may take, whatever happens meanwhile. */
const MOST_SETTLING: Nanos = 420 * SECOND;
const STAYS_TRUE: Nanos = 10 * SECOND;
/** How long somebody takes to notice that a machine is ill while things break, and after that. */
const NOTICE: Nanos = 20 * SECOND;
const NOTICE_HEALED: Nanos = 8 * SECOND;

/** So long after a boot a machine has mounted its file system. */
const MOUNTED_AFTER: Nanos = 90 * SECOND;
/** A stop that takes longer, with nothing broken, has no end. */
const STOPPED_AFTER: Nanos = 60 * SECOND;

const STEPS = ['boot', 'chaos', 'settle', 'drain'] as const;
const TITLES = {
  boot: 'five nodes boot, form a cluster and serve the page',
  chaos: 'things break',
  settle: 'nothing breaks any more: the cluster gets well',
  drain: 'what was written is there, and everything stops in order',
} as const;

/**
 * The walk-through's cluster in weather: it boots, works while a nemesis breaks things, is healed, all of it or a core, and
 * has to get well again within bounds; at the end what was synced is there and the file system is clean.
 *
 * Somebody looks after the machines throughout, as people do: one that is fenced by its storage, has withdrawn, or was
 * thrown out of the cluster gets a reset after a while. Nothing else is done for it.
 */
export class Storm implements Scenario<StormResult> {
  readonly name = 'storm';
  readonly title = 'Faults that nobody scripted';
  readonly kinds: readonly string[] = OVERVIEW_KINDS;
  readonly #options: StormOptions;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #names: ReadonlyMap<number, string>;
  readonly #overview: Overview;
  readonly #failures: { step: string; observed: Observed }[] = [];
  #arena: Arena | undefined;
  #operator: Operator | undefined;
  #isClosing = false;
  #hasStopped = false;

  constructor(options: StormOptions) {
    this.#options = options;
    const { machines } = options.topology;
    this.#ids = new Map(machines.map(({ id, name }) => [name, id]));
    this.#names = new Map(machines.map(({ id, name }) => [id, name]));
    this.#overview = new Overview(machines.map(({ id }) => id));
  }

  onFact(fact: Stamped): void {
    this.#overview.hear(fact);
    if (fact.kind !== 'node.state') return;
    const { state } = this.#overview.of(fact.node);
    this.#arena?.powerChanged(this.#names.get(fact.node)!, state);
  }

  /** Only what was unmounted everywhere can be clean. */
  atEnd(stores: ReadonlyMap<number, BlockStore>, now: Nanos): readonly Fact[] {
    return this.#hasStopped ? checkVolume(stores, now) : [];
  }

  *script(lab: Lab): Task<StormResult> {
    const { topology, nemesis, chaos = CHAOS } = this.#options;
    const choices = lab.choices('swarm');
    const plan = nemesisPlan(nemesis, choices);
    const budget = {
      mostDown: lab.machines.length - 1,
      stability: choices.choose('stability', 11) * SECOND,
    };
    this.#arena = new Arena(lab, topology.link, budget);
    const defectOf = (view: MachineView): string | undefined => this.#defectOf(lab, view);
    this.#operator = new Operator({ lab, overview: this.#overview, names: this.#names, defectOf, notice: NOTICE });
    const workload = new Workload(lab, SERVICE, (machine) => this.#viewOf(machine).state === 'up');
    yield* this.#step(lab, 'boot', () => this.#boot(lab));
    let tasks: readonly number[] = [];
    if (this.#failures.length === 0) {
      yield* this.#step(lab, 'chaos', () =>
        this.#chaos(lab, new Nemesis(this.#arena!, plan, FAMILIES), workload, chaos, (started) => {
          tasks = started;
        }),
      );
      workload.calm();
      const core = this.#heal(lab, this.#arena);
      yield* this.#step(lab, 'settle', () => this.#settle(lab, core, workload));
      yield* this.#step(lab, 'drain', () => this.#drain(lab, core, workload, tasks));
    }
    return {
      ok: this.#failures.length === 0,
      failures: this.#failures,
      families: plan.families.map(({ family }) => family),
      work: workload.kinds,
      requests: this.#overview.requests,
      resets: this.#operator.resets,
    };
  }

  // ── phases ─────────────────────────────────────────────────────────────────────────────────────────────────────

  *#boot(lab: Lab): Task {
    lab.powerOn(...lab.machines);
    const core = this.#names;
    const isWell = (): boolean => {
      const state = { overview: this.#overview, core, pending: [], usable: new Set(core.keys()) };
      const isMounted = [...core.keys()].every((node) => this.#overview.of(node).isMounted);
      return isMounted && GOALS.every((goal) => goal.missing(state).length === 0);
    };
    const until = lab.now() + 180 * SECOND;
    while (!isWell() && lab.now() < until) yield* lab.wait(SECOND);
    if (!isWell()) this.#fail(lab, 'boot', 'the cluster boots within 180 s', this.#missing(core, [], new Set()));
    // rgmanager of the last one, too.
    yield* lab.wait(10 * SECOND);
  }

  *#chaos(
    lab: Lab,
    nemesis: Nemesis<FamilyName>,
    workload: Workload,
    chaos: Nanos,
    started: (tasks: readonly number[]) => void,
  ): Task {
    // A directory that is there only where the file system is mounted: what is written elsewhere is refused.
    yield* lab.exec(lab.machines[0]!, 'mkdir /mydata/work; echo begun > /mydata/work/log; sync /mydata/work/log');
    yield* fork(this.#operator!.lookAfter());
    started(yield* workload.start());
    yield* nemesis.run(chaos);
  }

  /** Ends all faults. Gives the machines that are healed; the others are switched off for good. */
  #heal(lab: Lab, arena: Arena): ReadonlyMap<number, string> {
    arena.heal();
    this.#operator!.notice = NOTICE_HEALED;
    const choices = lab.choices('heal');
    const isPart = choices.choose('core', 2) === 1;
    const part = subset(choices, 'machine', lab.machines, 1, false);
    const core = isPart ? part : lab.machines;
    const abandoned = new Set(lab.machines.filter((machine) => !core.includes(machine)));
    this.#operator!.abandoned = abandoned;
    lab.powerOff(...abandoned);
    lab.powerOn(...core);
    return new Map(core.map((name) => [this.#ids.get(name)!, name]));
  }

  *#settle(lab: Lab, core: ReadonlyMap<number, string>, workload: Workload): Task {
    const healedAt = lab.now();
    const usable = new Set<number>();
    yield* fork(this.#enable(lab, core));
    yield* fork(this.#probe(lab, core, usable));
    const failed = new Set<string>();
    let wellSince: Nanos | undefined;
    while (lab.now() - healedAt < MOST_SETTLING) {
      const state = this.#settling(core, workload, healedAt, usable);
      const open = GOALS.filter((goal) => goal.missing(state).length > 0);
      const from = Math.max(healedAt, ...[...core.keys()].map((node) => this.#readyAt(lab, node)));
      for (const goal of open) {
        if (failed.has(goal.id) || lab.now() - from < goal.within) continue;
        failed.add(goal.id);
        this.#fail(lab, goal.id, `${goal.statement} within ${goal.within / SECOND} s`, goal.missing(state));
      }
      if (failed.size > 0) return;
      if (open.length > 0) wellSince = undefined;
      else wellSince ??= lab.now();
      if (wellSince !== undefined && lab.now() - wellSince >= STAYS_TRUE) return;
      yield* lab.wait(SECOND);
    }
    const missing = this.#missing(core, workload.pending, usable);
    this.#fail(lab, 'L1', `the cluster is well for ${STAYS_TRUE / SECOND} s`, missing);
  }

  *#drain(lab: Lab, core: ReadonlyMap<number, string>, workload: Workload, tasks: readonly number[]): Task {
    workload.end();
    if (this.#failures.length > 0) return;
    const [reader = ''] = core.values();
    if (!(yield* joinAll(lab, tasks, 60 * SECOND))) {
      this.#fail(lab, 'L4', 'the last commands end within 60 s', waiting(workload.pending));
      return;
    }
    for (const { path, lines } of workload.written) {
      const found = yield* lab.exec(reader, `cat ${path}`);
      const present = new Set((found?.output ?? '').split('\n'));
      const lost = lines.filter((line) => !present.has(line));
      if (lost.length > 0) this.#fail(lab, 'S26', `${path} has all that was synced`, lost);
    }
    yield* this.#shutDown(lab, core);
  }

  /** The last one first, each when the one before is off. */
  *#shutDown(lab: Lab, core: ReadonlyMap<number, string>): Task {
    this.#isClosing = this.#operator!.isOff = true;
    for (const [node, machine] of [...core].reverse()) {
      yield* fork(lab.exec(machine, 'shutdown -h now'));
      const until = lab.now() + 120 * SECOND;
      while (this.#overview.of(node).state !== 'off' && lab.now() < until) yield* lab.wait(SECOND);
      if (this.#overview.of(node).state === 'off') continue;
      this.#fail(lab, 'end', `${machine} shuts down within 120 s`, [this.#overview.of(node).state]);
      return;
    }
    yield* lab.wait(5 * SECOND);
    this.#hasStopped = true;
  }

  // ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A machine whose qdiskd did not come up, because the disks did not answer, does not count the quorum device: it may have no quorum
   * where all others have, and fence nobody. One whose mount did not come up, because a member died, goes on without; a mount that
   * goes on for ever is nobody's to end.
   */
  #defectOf(lab: Lab, view: MachineView): string | undefined {
    const { isMounted, isInMountGroup, upSince, unmountedAt } = view;
    if (!this.#arena!.isOver) return undefined;
    if (!view.hasQdiskd && !view.isQuorate && lab.now() - upSince >= STARTED_AFTER)
      return 'has neither qdiskd nor quorum';
    const defect = fenceDefect(view, this.#names, lab.now());
    if (defect !== undefined) return defect;
    // One that has unmounted it shuts down.
    const isEarly = lab.now() - Math.max(upSince, unmountedAt) < MOUNTED_AFTER;
    return isMounted || isInMountGroup || isEarly ? undefined : 'could not mount its file system';
  }

  /**
   * Somebody wants the service to run: he enables it where the cluster has given it up, also in the middle of a stop. One that is
   * stopped rgmanager starts itself when a node comes or goes, and nobody helps it.
   */
  *#enable(lab: Lab, core: ReadonlyMap<number, string>): Task {
    const healedAt = lab.now();
    while (!this.#isClosing) {
      yield* lab.wait(15 * SECOND);
      const { serviceState, serviceSince, evaluatedAt } = this.#overview;
      const isStuck = serviceState === STOPPING && lab.now() - Math.max(serviceSince, healedAt) >= STOPPED_AFTER;
      const isGivenUp = GIVEN_UP.includes(serviceState) || (serviceState === STOPPED && evaluatedAt <= serviceSince);
      if ((!isStuck && !isGivenUp) || this.#isClosing) continue;
      const at = [...core].find(([node]) => this.#overview.of(node).isQuorate)?.[1];
      if (at === undefined) continue;
      if (isStuck)
        lab.progress({ kind: 'attack-began', family: 'operator', text: `${SERVICE} was left stopping: disabled` });
      if (isStuck || serviceState === FAILED) yield* this.#brief(lab, at, `clusvcadm -d ${SERVICE}`);
      yield* this.#brief(lab, at, `clusvcadm -e ${SERVICE}`);
    }
  }

  /** Waits 20 s at most for a command. */
  *#brief(lab: Lab, machine: string, command: string): Task {
    const task = yield* fork(lab.exec(machine, command));
    yield* joinAll(lab, [task], 20 * SECOND);
  }

  /** Writes a file on each machine as soon as that is possible. */
  *#probe(lab: Lab, core: ReadonlyMap<number, string>, usable: Set<number>): Task {
    for (const [node, machine] of core) yield* fork(this.#probeOn(lab, node, machine, usable));
  }

  *#probeOn(lab: Lab, node: number, machine: string, usable: Set<number>): Task {
    while (!this.#isClosing) {
      yield* lab.wait(2 * SECOND);
      const { isMounted, state } = this.#overview.of(node);
      if (!isMounted || state !== 'up') {
        usable.delete(node);
        continue;
      }
      if (usable.has(node) || this.#isClosing) continue;
      const done = yield* lab.exec(
        machine,
        `echo probe > /mydata/work/probe-${machine}; sync /mydata/work/probe-${machine}`,
      );
      if (done?.status === 0 && this.#overview.of(node).isMounted) usable.add(node);
    }
  }

  // ── what is known ──────────────────────────────────────────────────────────────────────────────────────────────

  #viewOf(machine: string): ReturnType<Overview['of']> {
    return this.#overview.of(this.#ids.get(machine)!);
  }

  /** When a machine's last boot was over; now while it is off, boots, or is ill and will be reset. */
  #readyAt(lab: Lab, node: number): Nanos {
    const { state, upSince } = this.#overview.of(node);
    return state !== 'up' || this.#operator!.illnessOf(node) !== undefined ? lab.now() : upSince;
  }

  #settling(
    core: ReadonlyMap<number, string>,
    workload: Workload,
    healedAt: Nanos,
    usable: ReadonlySet<number>,
  ): Settling {
    const pending = workload.pending.filter(({ since }) => since <= healedAt);
    return { overview: this.#overview, core, pending, usable };
  }

  #missing(
    core: ReadonlyMap<number, string>,
    pending: Workload['pending'],
    usable: ReadonlySet<number>,
  ): readonly string[] {
    const state = { overview: this.#overview, core, pending, usable };
    return GOALS.flatMap((goal) => goal.missing(state).map((text) => `${goal.id}: ${text}`));
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

/** States of a service in which nobody starts it again, as rgmanager numbers them. */
const [STOPPED, STOPPING, FAILED, DISABLED] = [110, 113, 114, 119];
const GIVEN_UP: readonly number[] = [FAILED, DISABLED];
