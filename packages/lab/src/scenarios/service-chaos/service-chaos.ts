import { type Fact, fork, type Nanos, SECOND, type Stamped, type Task } from '@quorate/kernel';
import { ServiceState } from '@quorate/rgmanager';
import type { BlockStore } from '@quorate/scsi';
import { type ChaosOptions, type ChaosResult, ChaosRun, missingOf } from '../../chaos/chaos-run.js';
import { GOALS, type Goal, type Settling } from '../../chaos/liveness.js';
import { OVERVIEW_KINDS } from '../../chaos/overview.js';
import { brief, waiting } from '../../chaos/pending.js';
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
import { pick } from '../../nemesis/draw.js';
import { Nemesis } from '../../nemesis/nemesis.js';
import { swarmPlan } from '../../nemesis/presets.js';
import { checkVolume } from '../hyperv-blog/volume-check.js';
import { RESTRICTED, SERVICES } from './configuration.js';
import { Distribution } from './distribution.js';
import { MOST_HANGING, type ServiceFamilyName, serviceFamilies, WEATHERS } from './families.js';
import { People } from './people.js';
import { SERVICE_KINDS, ServicePicture, type ServiceView } from './service-picture.js';

/** What the chaos found; `ok` only if every service has settled and runs again when somebody wants it to. */
export interface ServiceChaosResult extends ChaosResult {
  /** Orders that people gave. */
  readonly commands: number;
  /** Versions of the configuration. */
  readonly versions: number;
}

const CHAOS: Nanos = 120 * SECOND;
/** So long somebody waits for a command of his. */
const PATIENCE: Nanos = 60 * SECOND;

const STEPS = {
  boot: 'five nodes boot, form a cluster and start their services',
  chaos: 'things break, owners of services and their agents first of all',
  settle: 'nothing breaks any more: every service settles',
  repair: 'somebody enables what does not run: every service runs where it may',
  drain: 'all nodes say the same, and everything stops in order',
} as const;

/** Goals of what is below the services. */
const CLUSTER_GOALS = GOALS.filter(({ id }) => id !== 'L5');
/** When services may have been looked at, and each agent has hung in one start, one stop, and once more. */
const SETTLED_WITHIN: Nanos = Math.max(...CLUSTER_GOALS.map(({ within }) => within)) + 40 * SECOND + 3 * MOST_HANGING;

/** States that end by nothing but an order or an event. */
const LASTING: readonly number[] = [ServiceState.STOPPED, ServiceState.DISABLED, ServiceState.FAILED];

/** What goals about services look at. */
interface ServiceSettling extends Settling {
  readonly picture: ServicePicture;
}

function isRunning({ state, owner }: ServiceView, { core }: ServiceSettling): boolean {
  return state === ServiceState.STARTED && core.has(owner);
}

const SETTLED: Goal<ServiceSettling> = {
  id: 'L5',
  statement: 'every service has settled, and nobody who asked for one waits',
  within: SETTLED_WITHIN,
  missing: (settling) => {
    const unsettled = SERVICES.map((name) => [name, settling.picture.of(name)] as const).filter(
      ([, view]) => !isRunning(view, settling) && !LASTING.includes(view.state) && !view.isLeftAlone,
    );
    const texts = unsettled.map(([name, { state, owner }]) => `${name} is in state ${state}, owned by node ${owner}`);
    return [...texts, ...waiting(settling.pending)];
  },
};

const RUNS: Goal<ServiceSettling> = {
  id: 'L5',
  statement: 'every service runs for which there is a machine, unless it failed while it was frozen',
  within: SETTLED_WITHIN,
  missing: (settling) =>
    SERVICES.flatMap((name) => {
      const view = settling.picture.of(name);
      const legal = RESTRICTED.get(name);
      const hasPlace = legal === undefined || legal.some((node) => settling.core.has(node));
      // Storm 0x454: it was frozen between the stop and the start of a relocation.
      if (view.isStuck) return [];
      if (!hasPlace || (name === 'report' && !RESTRICTED.get('data')!.some((node) => settling.core.has(node))))
        return [];
      if (!isRunning(view, settling)) return [`${name} is in state ${view.state}, owned by node ${view.owner}`];
      return legal === undefined || legal.includes(view.owner) ? [] : [`${name} runs on node ${view.owner}`];
    }),
};

/**
 * Services in weather: on the walk-through's machines agents fail and hang, people give orders, the configuration changes, and a
 * nemesis kills and cuts off owners of services; then everything is healed, or a core, and every service has to settle, and to run when
 * somebody enables it.
 *
 * What services may do meanwhile is for the rules to say.
 */
export class ServiceChaos implements Scenario<ServiceChaosResult> {
  readonly name = 'service-chaos';
  readonly title = 'Services under faults that aim at them';
  readonly kinds: readonly string[] = [...new Set([...OVERVIEW_KINDS, ...SERVICE_KINDS])];
  readonly #options: ChaosOptions;
  readonly #picture = new ServicePicture();
  #run: ChaosRun | undefined;
  #isClosing = false;
  #hasStopped = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  onFact(fact: Stamped): void {
    this.#picture.hear(fact);
    this.#run?.hear(fact);
  }

  /** Only what was unmounted everywhere can be clean. */
  atEnd(stores: ReadonlyMap<number, BlockStore>, now: Nanos): readonly Fact[] {
    return this.#hasStopped ? checkVolume(stores, now) : [];
  }

  *script(lab: Lab): Task<ServiceChaosResult> {
    const { topology, chaos = CHAOS } = this.#options;
    const choices = lab.choices('swarm');
    // Where machines come and go all the time services do little.
    const plan = swarmPlan(pick(choices, 'weather', WEATHERS), choices);
    const mostDown = 1 + choices.choose('most-down', lab.machines.length - 1);
    const budget = { mostDown, stability: choices.choose('stability', 11) * SECOND };
    const run: ChaosRun = new ChaosRun({
      lab,
      topology,
      budget,
      steps: STEPS,
      notice: NOTICE,
      defectOf: (view) => storageDefect(run, view),
    });
    this.#run = run;
    const distribution = new Distribution(run);
    const people = new People(run);
    const target = {
      picture: this.#picture,
      reload: distribution.reload,
      nameOf: (node: number): string => run.names.get(node)!,
    };
    const nemesis = new Nemesis(run.arena, plan, serviceFamilies(target));
    yield* run.step('boot', () => this.#boot(run));
    if (run.failures.length === 0) yield* this.#work(run, nemesis, people, distribution, chaos);
    return { ...run.result(plan), commands: people.commands, versions: distribution.versions };
  }

  // ── phases ─────────────────────────────────────────────────────────────────────────────────────────────────────

  *#boot(run: ChaosRun): Task {
    const { lab, names: core } = run;
    lab.powerOn(...lab.machines);
    const state = this.#settling(run, core, [], new Set(core.keys()));
    const missing = (): readonly string[] => missingOf([...CLUSTER_GOALS, RUNS], state);
    yield* run.becomes(() => missing().length === 0, 180 * SECOND);
    if (missing().length > 0) run.fail('boot', 'all services run within 180 s', missing());
    yield* lab.wait(10 * SECOND);
  }

  *#work(
    run: ChaosRun,
    nemesis: Nemesis<ServiceFamilyName>,
    people: People,
    distribution: Distribution,
    chaos: Nanos,
  ): Task {
    const { lab } = run;
    yield* run.step('chaos', function* () {
      // A directory that is there only where the file system is mounted: what is written elsewhere is refused.
      yield* lab.exec(lab.machines[0]!, 'mkdir /mydata/work; echo begun > /mydata/work/log; sync /mydata/work/log');
      yield* fork(run.operator.lookAfter());
      yield* distribution.start();
      yield* people.start();
      yield* nemesis.run(chaos);
    });
    people.calm();
    const core = run.heal({ smallestCore: 1, isUnplugged: false, notice: NOTICE_HEALED });
    const usable = new Set<number>();
    yield* probeMounts(run, core, usable, () => this.#isClosing);
    yield* run.step('settle', () => this.#settle(run, core, people, usable));
    if (run.failures.length > 0) return;
    yield* run.step('repair', () => this.#repair(run, core, distribution, usable));
    distribution.end();
    if (run.failures.length === 0) yield* run.step('drain', () => this.#drain(run, core));
  }

  *#settle(run: ChaosRun, core: ReadonlyMap<number, string>, people: People, usable: ReadonlySet<number>): Task {
    const healedAt = run.lab.now();
    yield* fork(this.#endStops(run, core));
    const state = (): ServiceSettling => {
      const pending = people.pending.filter(({ since }) => since <= healedAt);
      return this.#settling(run, core, pending, usable);
    };
    yield* run.settle({ goals: [...CLUSTER_GOALS, SETTLED], most: MOST_SETTLING, staysTrue: STAYS_TRUE, state });
  }

  *#repair(
    run: ChaosRun,
    core: ReadonlyMap<number, string>,
    distribution: Distribution,
    usable: ReadonlySet<number>,
  ): Task {
    yield* distribution.restore();
    yield* fork(this.#enable(run, core));
    const state = (): ServiceSettling => this.#settling(run, core, [], usable);
    yield* run.settle({ goals: [...CLUSTER_GOALS, RUNS], most: MOST_SETTLING, staysTrue: STAYS_TRUE, state });
  }

  *#drain(run: ChaosRun, core: ReadonlyMap<number, string>): Task {
    this.#isClosing = true;
    // Status checks of all services, and what they lead to.
    yield* run.lab.wait(30 * SECOND);
    yield* this.#compareViews(run, core);
    yield* this.#compareProcesses(run, core);
    this.#hasStopped = yield* shutDown(run, core);
  }

  /** S30: clustat says the same of services, whoever is asked. */
  *#compareViews(run: ChaosRun, core: ReadonlyMap<number, string>): Task {
    const said = new Map<string, string>();
    for (const machine of core.values()) {
      const done = yield* run.lab.exec(machine, 'clustat');
      const services = /Service Name.*/s.exec(done?.output ?? '')?.[0] ?? '';
      if (!said.has(services)) said.set(services, machine);
    }
    if (said.size === 1) return;
    run.fail(
      'S30',
      'clustat says the same everywhere',
      [...said].map(([text, machine]) => `${machine}: ${text}`),
    );
  }

  /** S27: what is started runs on its owner, and nowhere else but where it once failed to stop (R3 counts that). */
  *#compareProcesses(run: ChaosRun, core: ReadonlyMap<number, string>): Task {
    const wrong: string[] = [];
    for (const [node, machine] of core) {
      for (const [name, workers] of WORKERS_OF) {
        const { state, owner } = this.#picture.of(name);
        const isHere = state === ServiceState.STARTED && owner === node;
        for (const worker of workers) {
          const done = yield* run.lab.exec(machine, `${worker} status`);
          const isRunning = done?.status === 0;
          const isLeft = isRunning && this.#picture.isLeftBehind(`script:${worker}`, node);
          if (isRunning !== isHere && !isLeft)
            wrong.push(`${worker} ${isHere ? 'does not run' : 'runs'} on ${machine}`);
        }
      }
    }
    if (wrong.length > 0) run.fail('S27', 'what is started runs on its owner, and nowhere else', wrong);
  }

  // ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A stop whose end could not be written is nobody's but a person's to end. */
  *#endStops(run: ChaosRun, core: ReadonlyMap<number, string>): Task {
    const { lab } = run;
    const since = new Map<string, Nanos>();
    while (!this.#isClosing) {
      yield* lab.wait(5 * SECOND);
      for (const name of SERVICES) {
        if (this.#picture.of(name).state !== ServiceState.STOPPING) since.delete(name);
        else if (!since.has(name)) since.set(name, lab.now());
        if (lab.now() - (since.get(name) ?? lab.now()) < STOPPED_AFTER + MOST_HANGING) continue;
        since.delete(name);
        const at = seatOf(run, core);
        if (at === undefined) continue;
        lab.progress({ kind: 'attack-began', family: 'operator', text: `${name} was left stopping: disabled` });
        yield* brief(lab, at, `clusvcadm -d ${name}`, PATIENCE);
      }
    }
  }

  /** Everything is unlocked and unfrozen, nobody stays in standby, what does not run is enabled, and what was given up started again, every so often. */
  *#enable(run: ChaosRun, core: ReadonlyMap<number, string>): Task {
    const { lab } = run;
    while (!this.#isClosing) {
      const at = seatOf(run, core);
      if (at !== undefined) yield* this.#enableAll(run, core, at);
      yield* lab.wait(15 * SECOND);
    }
  }

  *#enableAll({ lab }: ChaosRun, core: ReadonlyMap<number, string>, at: string): Task {
    yield* brief(lab, at, 'clusvcadm -u', PATIENCE);
    for (const machine of core.values()) yield* brief(lab, at, `clusvcadm -B ${machine}`, PATIENCE);
    for (const name of SERVICES) {
      yield* brief(lab, at, `clusvcadm -U ${name}`, PATIENCE);
      const { state, owner, lastOwner, isPartial } = this.#picture.of(name);
      // The agents' stop runs where the order is given: what failed to stop is where it was last.
      if (state === ServiceState.FAILED) yield* brief(lab, core.get(lastOwner) ?? at, `clusvcadm -d ${name}`, PATIENCE);
      // Who has died while services were locked is still the owner.
      if (LASTING.includes(state) || !core.has(owner)) yield* brief(lab, at, `clusvcadm -e ${name} -F`, PATIENCE);
      // `clusvcadm -R` starts a service where it is given, in its domain or not (svc-outside-restricted).
      else if (RESTRICTED.get(name)?.includes(owner) === false) yield* brief(lab, at, `clusvcadm -r ${name}`, PATIENCE);
      else if (isPartial) yield* brief(lab, at, `clusvcadm -c ${name}`, PATIENCE);
    }
  }

  #settling(
    { overview }: ChaosRun,
    core: ReadonlyMap<number, string>,
    pending: Settling['pending'],
    usable: ReadonlySet<number>,
  ): ServiceSettling {
    return { overview, core, pending, usable, picture: this.#picture };
  }
}

/** Init scripts of services in the first version of the configuration. */
const WORKERS_OF: ReadonlyMap<string, readonly string[]> = new Map([
  ['data', ['data']],
  ['mail', ['mail']],
  ['batch', ['crunch', 'side']],
  ['report', ['report']],
]);

/** A machine at which somebody can sit down. */
function seatOf({ overview }: ChaosRun, core: ReadonlyMap<number, string>): string | undefined {
  return [...core].find(([node]) => overview.of(node).isQuorate)?.[1];
}
