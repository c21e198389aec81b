import { type Fact, fork, type Nanos, SECOND, type Stamped, type Task } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';
import { type ChaosOptions, type ChaosResult, ChaosRun, missingOf } from '../../chaos/chaos-run.js';
import { GOALS, type Settling } from '../../chaos/liveness.js';
import { type MachineView, OVERVIEW_KINDS } from '../../chaos/overview.js';
import { brief, joinAll, waiting } from '../../chaos/pending.js';
import {
  MOST_SETTLING,
  NOTICE,
  NOTICE_HEALED,
  probeMounts,
  STAYS_TRUE,
  STOPPED_AFTER,
  shutDown,
  storageDefect,
} from '../../chaos/storage-nodes.js';
import type { Lab, Scenario } from '../../lab.js';
import { FAMILIES, type FamilyName } from '../../nemesis/families/index.js';
import { Nemesis } from '../../nemesis/nemesis.js';
import { type NemesisPreset, nemesisPlan } from '../../nemesis/presets.js';
import { checkVolume } from '../hyperv-blog/volume-check.js';
import { Workload } from './workload.js';

export interface StormOptions extends ChaosOptions {
  readonly nemesis: NemesisPreset;
}

/** What a storm found; `ok` only if the cluster got well again and nothing that was promised is lost. */
export interface StormResult extends ChaosResult {
  /** Kinds of work that the run had. */
  readonly work: readonly string[];
  readonly requests: { readonly ok: number; readonly failed: number };
}

const SERVICE = 'my_service_group';
const CHAOS: Nanos = 120 * SECOND;
/** So long somebody waits for a command of his. */
const PATIENCE: Nanos = 20 * SECOND;

const STEPS = {
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
  #run: ChaosRun | undefined;
  #isClosing = false;
  #hasStopped = false;

  constructor(options: StormOptions) {
    this.#options = options;
  }

  onFact(fact: Stamped): void {
    this.#run?.hear(fact);
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
    const defectOf = (view: MachineView): string | undefined => storageDefect(run, view);
    const run: ChaosRun = new ChaosRun({ lab, topology, budget, steps: STEPS, notice: NOTICE, defectOf });
    this.#run = run;
    const workload = new Workload(lab, SERVICE, (machine) => run.arena.isUp(machine));
    yield* run.step('boot', () => this.#boot(run));
    let tasks: readonly number[] = [];
    if (run.failures.length === 0) {
      yield* run.step('chaos', () =>
        this.#chaos(run, new Nemesis(run.arena, plan, FAMILIES), workload, chaos, (started) => {
          tasks = started;
        }),
      );
      workload.calm();
      const core = run.heal({ smallestCore: 1, isUnplugged: false, notice: NOTICE_HEALED });
      yield* run.step('settle', () => this.#settle(run, core, workload));
      yield* run.step('drain', () => this.#drain(run, core, workload, tasks));
    }
    return { ...run.result(plan), work: workload.kinds, requests: run.overview.requests };
  }

  // ── phases ─────────────────────────────────────────────────────────────────────────────────────────────────────

  *#boot(run: ChaosRun): Task {
    const { lab, overview, names: core } = run;
    lab.powerOn(...lab.machines);
    const state = { overview, core, pending: [], usable: new Set(core.keys()) };
    const isWell = (): boolean =>
      [...core.keys()].every((node) => overview.of(node).isMounted) && missingOf(GOALS, state).length === 0;
    yield* run.becomes(isWell, 180 * SECOND);
    if (!isWell())
      run.fail('boot', 'the cluster boots within 180 s', missingOf(GOALS, { ...state, usable: new Set() }));
    // rgmanager of the last one, too.
    yield* lab.wait(10 * SECOND);
  }

  *#chaos(
    { lab, operator }: ChaosRun,
    nemesis: Nemesis<FamilyName>,
    workload: Workload,
    chaos: Nanos,
    started: (tasks: readonly number[]) => void,
  ): Task {
    // A directory that is there only where the file system is mounted: what is written elsewhere is refused.
    yield* lab.exec(lab.machines[0]!, 'mkdir /mydata/work; echo begun > /mydata/work/log; sync /mydata/work/log');
    yield* fork(operator.lookAfter());
    started(yield* workload.start());
    yield* nemesis.run(chaos);
  }

  *#settle(run: ChaosRun, core: ReadonlyMap<number, string>, workload: Workload): Task {
    const { lab, overview } = run;
    const healedAt = lab.now();
    const usable = new Set<number>();
    yield* fork(this.#enable(run, core));
    yield* fork(probeMounts(run, core, usable, () => this.#isClosing));
    const state = (): Settling => {
      const pending = workload.pending.filter(({ since }) => since <= healedAt);
      return { overview, core, pending, usable };
    };
    yield* run.settle({ goals: GOALS, most: MOST_SETTLING, staysTrue: STAYS_TRUE, state });
  }

  *#drain(run: ChaosRun, core: ReadonlyMap<number, string>, workload: Workload, tasks: readonly number[]): Task {
    const { lab } = run;
    workload.end();
    if (run.failures.length > 0) return;
    const [reader = ''] = core.values();
    if (!(yield* joinAll(lab, tasks, 60 * SECOND))) {
      run.fail('L4', 'the last commands end within 60 s', waiting(workload.pending));
      return;
    }
    for (const { path, lines } of workload.written) {
      const found = yield* lab.exec(reader, `cat ${path}`);
      const present = new Set((found?.output ?? '').split('\n'));
      const lost = lines.filter((line) => !present.has(line));
      if (lost.length > 0) run.fail('S26', `${path} has all that was synced`, lost);
    }
    this.#isClosing = true;
    this.#hasStopped = yield* shutDown(run, core);
  }

  // ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Somebody wants the service to run: he enables it where the cluster has given it up, also in the middle of a stop. One that is
   * stopped rgmanager starts itself when a node comes or goes, and nobody helps it.
   */
  *#enable({ lab, overview }: ChaosRun, core: ReadonlyMap<number, string>): Task {
    const healedAt = lab.now();
    while (!this.#isClosing) {
      yield* lab.wait(15 * SECOND);
      const { serviceState, serviceSince, evaluatedAt } = overview;
      const isStuck = serviceState === STOPPING && lab.now() - Math.max(serviceSince, healedAt) >= STOPPED_AFTER;
      const isGivenUp = GIVEN_UP.includes(serviceState) || (serviceState === STOPPED && evaluatedAt <= serviceSince);
      if ((!isStuck && !isGivenUp) || this.#isClosing) continue;
      const at = [...core].find(([node]) => overview.of(node).isQuorate)?.[1];
      if (at === undefined) continue;
      if (isStuck)
        lab.progress({ kind: 'attack-began', family: 'operator', text: `${SERVICE} was left stopping: disabled` });
      if (isStuck || serviceState === FAILED) yield* brief(lab, at, `clusvcadm -d ${SERVICE}`, PATIENCE);
      yield* brief(lab, at, `clusvcadm -e ${SERVICE}`, PATIENCE);
    }
  }
}

/** States of a service in which nobody starts it again, as rgmanager numbers them. */
const [STOPPED, STOPPING, FAILED, DISABLED] = [110, 113, 114, 119];
const GIVEN_UP: readonly number[] = [FAILED, DISABLED];
