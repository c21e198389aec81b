import { type Nanos, SECOND, type Stamped, type Task } from '@quorate/kernel';
import type { CalmFact } from '@quorate/totem';
import type { Lab, Observed } from '../lab.js';
import { Arena, type FaultBudget } from '../nemesis/arena.js';
import { subset } from '../nemesis/draw.js';
import type { NemesisPlan } from '../nemesis/presets.js';
import type { Topology } from '../topology.js';
import { type Goal, L1, type Settling } from './liveness.js';
import { Operator } from './operator.js';
import { type MachineView, Overview } from './overview.js';

/** A goal or rule that does not hold, by its id, or a step that did not come to its end. */
export interface ChaosFailure {
  readonly step: string;
  readonly observed: Observed;
}

/** What each scenario of faults is given. */
export interface ChaosOptions {
  readonly topology: Topology;
  /** How long things break; the scenario's own time unless told. */
  readonly chaos?: Nanos;
}

/** What faults found; `ok` only if nothing failed. */
export interface ChaosResult {
  readonly ok: boolean;
  /** `step` is the id of the goal or rule that does not hold, or that of a step. */
  readonly failures: readonly ChaosFailure[];
  /** Families that the run had. */
  readonly families: readonly string[];
  /** Machines that somebody had to reset because they were ill. */
  readonly resets: number;
}

export interface ChaosConfig {
  readonly lab: Lab;
  readonly topology: Topology;
  readonly budget: FaultBudget;
  /** Titles of the steps by their ids, in order. */
  readonly steps: Readonly<Record<string, string>>;
  /** How long somebody takes to notice that a machine is ill. */
  readonly notice: Nanos;
  /** Why a machine needs a reset beside what is known as its illness. */
  defectOf(view: MachineView): string | undefined;
}

/** How things are made well again. */
export interface Healing {
  /** The fewest machines that can go on without the others. */
  readonly smallestCore: number;
  /** Those that are given up lose their network, too: a fence agent gives them their power back. */
  readonly isUnplugged: boolean;
  /** How long somebody takes from now on to notice that a machine is ill. */
  readonly notice: Nanos;
}

/** What has to become true, and stay so. */
export interface Settlement<State extends Settling> {
  readonly goals: readonly Goal<State>[];
  /** The longest that it may take, whatever happens meanwhile. */
  readonly most: Nanos;
  readonly staysTrue: Nanos;
  /** What goals look at, as it is now. */
  state(): State;
}

/** One run of machines that work while a nemesis breaks things, are healed, all or a core, and have to get well again. */
export class ChaosRun {
  readonly lab: Lab;
  /** Host names by node id. */
  readonly names: ReadonlyMap<number, string>;
  readonly overview: Overview;
  readonly arena: Arena;
  readonly operator: Operator;
  readonly #steps: Readonly<Record<string, string>>;
  readonly #failures: ChaosFailure[] = [];
  #isCalm = false;

  constructor({ lab, topology, budget, steps, notice, defectOf }: ChaosConfig) {
    this.lab = lab;
    this.names = new Map(topology.machines.map(({ id, name }) => [id, name]));
    this.overview = new Overview([...this.names.keys()]);
    this.arena = new Arena(lab, topology.link, budget);
    this.operator = new Operator({ lab, overview: this.overview, names: this.names, defectOf, notice });
    this.#steps = steps;
  }

  get failures(): readonly ChaosFailure[] {
    return this.#failures;
  }

  /** How it ends. `plan`: what it had to break things with. */
  result(plan: NemesisPlan<string>): ChaosResult {
    return {
      ok: this.#failures.length === 0,
      failures: this.#failures,
      families: plan.families.map(({ family }) => family),
      resets: this.operator.resets,
    };
  }

  hear(fact: Stamped): void {
    this.overview.hear(fact);
    if (fact.kind !== 'node.state') return;
    this.arena.powerChanged(this.names.get(fact.node)!, this.overview.of(fact.node).state);
  }

  /** Somebody may use this machine: it is up, and not given up. */
  isInUse(machine: string): boolean {
    return this.arena.isUp(machine) && !this.operator.abandoned.has(machine);
  }

  *step(id: string, act: () => Task): Task {
    const ids = Object.keys(this.#steps);
    const title = this.#steps[id]!;
    this.lab.progress({ kind: 'step-began', id, title, number: ids.indexOf(id) + 1, of: ids.length });
    yield* act();
    this.lab.progress({ kind: 'step-ended', id });
  }

  fail(step: string, text: string, missing: readonly string[]): void {
    const observed: Observed = { text, isTrue: false, found: missing.join('; ') };
    this.#failures.push({ step, observed });
    this.lab.progress({ kind: 'observed', step, observed });
  }

  /** Looks once a second whether something is true, for so long at most. */
  *becomes(isTrue: () => boolean, most: Nanos): Task {
    const until = this.lab.now() + most;
    while (!isTrue() && this.lab.now() < until) yield* this.lab.wait(SECOND);
  }

  /** Ends all faults. Gives the machines that are healed, by node id; the others are switched off for good. */
  heal({ smallestCore, isUnplugged, notice }: Healing): ReadonlyMap<number, string> {
    const { lab, arena, operator } = this;
    arena.heal();
    operator.notice = notice;
    const choices = lab.choices('heal');
    const isPart = choices.choose('core', 2) === 1;
    const part = subset(choices, 'machine', lab.machines, smallestCore, false);
    const core = new Set(isPart ? part : lab.machines);
    operator.abandoned = new Set(lab.machines.filter((machine) => !core.has(machine)));
    if (isUnplugged) for (const machine of operator.abandoned) lab.setLink(machine, false);
    lab.powerOff(...operator.abandoned);
    lab.powerOn(...core);
    return new Map([...this.names].filter(([, machine]) => core.has(machine)));
  }

  /** Waits until all goals are reached and stay so; fails with those that are not reached in time. */
  *settle<State extends Settling>(settlement: Settlement<State>): Task {
    yield* this.#reach(settlement);
    this.#tellCalm([], 0);
  }

  *#reach<State extends Settling>({ goals, most, staysTrue, state }: Settlement<State>): Task {
    const { lab } = this;
    const healedAt = lab.now();
    let wellSince: Nanos | undefined;
    while (lab.now() - healedAt < most) {
      const now = state();
      const open = goals.filter((goal) => goal.missing(now).length > 0);
      const nodes = [...now.core.keys()];
      const waited = lab.now() - Math.max(healedAt, ...nodes.map((node) => this.#readyAt(node)));
      this.#tellCalm(waited > 0 ? nodes : [], waited);
      const late = open.filter(({ within }) => waited >= within);
      for (const { id, statement, within, missing } of late)
        this.fail(id, `${statement} within ${within / SECOND} s`, missing(now));
      if (late.length > 0) return;
      if (open.length > 0) wellSince = undefined;
      else wellSince ??= lab.now();
      if (wellSince !== undefined && lab.now() - wellSince >= staysTrue) return;
      yield* lab.wait(SECOND);
    }
    this.fail('L1', `the cluster is well for ${staysTrue / SECOND} s`, missingOf(goals, state()));
  }

  /** The network has connected exactly these machines for so long, all of them up and well; none: that is over. */
  #tellCalm(nodes: readonly number[], waited: Nanos): void {
    const isCalm = nodes.length > 0;
    if (isCalm === this.#isCalm) return;
    this.#isCalm = isCalm;
    const fact: CalmFact = { kind: 'totem.calm', now: this.lab.now(), nodes, within: L1 - waited };
    this.lab.tell(fact);
  }

  /** When a machine's last boot was over; now while it is off, boots, or is ill and will be reset. */
  #readyAt(node: number): Nanos {
    const { state, upSince } = this.overview.of(node);
    return state !== 'up' || this.operator.illnessOf(node) !== undefined ? this.lab.now() : upSince;
  }
}

/** What is still missing, a phrase each with the goal's id. */
export function missingOf<State extends Settling>(goals: readonly Goal<State>[], state: State): readonly string[] {
  return goals.flatMap((goal) => goal.missing(state).map((text) => `${goal.id}: ${text}`));
}
