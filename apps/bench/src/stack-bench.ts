import { SECOND, type Stamped, type Task } from '@quorate/kernel';
import { type AnyFact, hypervBlogTopology, type Lab, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Simulator } from '@quorate/simulator';
import type { Figure } from './figures.js';

export const stackTitle = 'five nodes with the full stack and all observers in the simulator, after they have booted';

/** Cluster time of the idle stretch. */
const IDLE_SECONDS = 300;

/** How often each node does it in a busy stretch, one after the other. */
const ROUNDS = 100;

/** Between two commands: enough for a token to go round. */
const PAUSE = 0.01 * SECOND;

/** `started`, as rgmanager numbers the states of a service. */
const STARTED = 112;

interface Reading {
  readonly cpu: NodeJS.CpuUsage;
  readonly at: number;
  readonly events: number;
}

/** A stretch of a run. */
interface Stretch {
  readonly cpuSeconds: number;
  readonly virtualSeconds: number;
  readonly events: number;
}

/** Five nodes boot; then nothing happens for a while, then they cast messages, and then they write to one file. */
class Stretches implements Scenario<string> {
  readonly name = 'stretches';
  readonly title = 'an idle cluster, and a busy one';
  readonly kinds: readonly string[] = ['rg.service'];
  /** At the start of the first stretch, and at the end of each. */
  readonly readings: Reading[] = [];
  readonly #events: () => number;

  constructor(events: () => number) {
    this.#events = events;
  }

  *script(lab: Lab): Task<string> {
    lab.powerOn(...lab.machines);
    const isStarted = (fact: Stamped): boolean => (fact as AnyFact).state === STARTED;
    if ((yield* lab.waitFor(isStarted, 180 * SECOND)) === undefined) throw new Error('the service was not started');
    yield* lab.wait(60 * SECOND);
    this.#read(lab);
    yield* lab.wait(IDLE_SECONDS * SECOND);
    this.#read(lab);
    yield* this.#eachRound(lab, () => 'cman_tool expected -e 9');
    this.#read(lab);
    yield* this.#eachRound(lab, (round) => `echo ${round} >> /mydata/log.txt`);
    this.#read(lab);
    return (yield* lab.exec(lab.machines[0]!, 'cat /mydata/log.txt'))?.output ?? '';
  }

  *#eachRound(lab: Lab, commandOf: (round: number) => string): Task {
    for (let round = 0; round < ROUNDS; round++) {
      for (const machine of lab.machines) {
        const done = yield* lab.exec(machine, commandOf(round));
        // The command is over before what it casts has gone round.
        yield* lab.wait(PAUSE);
        if (done?.status !== 0) throw new Error(`${commandOf(round)} on ${machine}: ${done?.errors ?? 'no answer'}`);
      }
    }
  }

  #read(lab: Lab): void {
    this.readings.push({ cpu: process.cpuUsage(), at: lab.now(), events: this.#events() });
  }
}

/** The best of three runs; throws when a command failed or a line of the shared file is missing. */
export function stackFigures(): readonly Figure[] {
  const runs = Array.from({ length: 3 }, runStretches);
  const idle = bestOf(runs.map((run) => run.idle));
  const casts = bestOf(runs.map((run) => run.casts));
  const appends = bestOf(runs.map((run) => run.appends));
  const commands = 5 * ROUNDS;
  return [
    { name: `${commands} casts (cman_tool expected), by turns`, ...eventsOf(casts), bar: { atLeast: 0.2 } },
    { name: 'the same, events', value: casts.events / commands, unit: 'per command' },
    { name: `${commands} appends to one file, by turns`, ...eventsOf(appends), bar: { atLeast: 0.2 } },
    { name: 'the same, events', value: appends.events / commands, unit: 'per append' },
    { name: 'idle: heartbeats, heuristics, F5 every second', ...eventsOf(idle) },
    { name: 'the same, events', value: idle.events / idle.virtualSeconds, unit: 'per virtual s' },
    { name: 'the same, cluster time', value: idle.virtualSeconds / idle.cpuSeconds, unit: 'virtual s per CPU s' },
  ];
}

function eventsOf({ events, cpuSeconds }: Stretch): Pick<Figure, 'value' | 'unit'> {
  return { value: events / cpuSeconds / 1e6, unit: 'M events per CPU s' };
}

function bestOf(stretches: readonly Stretch[]): Stretch {
  return stretches.reduce((a, b) => (b.cpuSeconds < a.cpuSeconds ? b : a));
}

function runStretches(): { readonly idle: Stretch; readonly casts: Stretch; readonly appends: Stretch } {
  const topology = hypervBlogTopology(administratorsPrograms);
  const scenario: Stretches = new Stretches(() => simulator.eventCount);
  const simulator: Simulator = new Simulator({
    scenario,
    topology,
    seed: { hi: 0, lo: 7 },
    invariants: stackInvariants,
  });
  const result = simulator.run();
  const [violation] = result.violations;
  if (result.reason !== 'ended' || violation !== undefined) {
    throw new Error(`the run does not hold: ${violation?.message ?? result.exception ?? result.reason}`);
  }
  const expected = Array.from({ length: ROUNDS }, (_, round) => `${round}\n`.repeat(5)).join('');
  if (result.result !== expected) throw new Error(`the shared file has ${JSON.stringify(result.result)}`);
  const [first, second, third, last] = scenario.readings as [Reading, Reading, Reading, Reading];
  return { idle: between(first, second), casts: between(second, third), appends: between(third, last) };
}

function between(from: Reading, to: Reading): Stretch {
  return {
    cpuSeconds: (to.cpu.user - from.cpu.user + to.cpu.system - from.cpu.system) / 1e6,
    virtualSeconds: (to.at - from.at) / SECOND,
    events: to.events - from.events,
  };
}
