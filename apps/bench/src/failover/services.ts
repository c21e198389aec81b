import { type Nanos, type Program, SECOND, type Stamped, type Task } from '@quorate/kernel';
import {
  type AnyFact,
  type Lab,
  PHASE_KINDS,
  type Phase,
  phasesOf,
  plainTopology,
  type Scenario,
  stackInvariants,
  type Topology,
} from '@quorate/lab';
import { Simulator } from '@quorate/simulator';
import { INIT_SCRIPT, servicesConf } from './services-conf.js';
import { type Outage, outageOf, type Sample } from './table.js';

const MACHINES = 5;
const SEED = 1;

/** `started`, as rgmanager numbers the states of a service. */
const STARTED = 112;

/** Bounds of a node that looks after one service: of timers and of queues. */
const OF_FEW_SERVICES: readonly string[] = ['S33', 'S35'];

/** More services are not judged by the invariants, with which a run takes three times as long. */
const MOST_JUDGED = 100;

/** The node that all services are on loses its power: for how long the first, the median and the last of them were not started. */
export function serviceOutages(services: number, totem: string): readonly Outage[] {
  const scenario = new ServiceFailover(services);
  const run = new Simulator({
    scenario,
    topology: servicesTopology(services, totem),
    seed: { hi: 0, lo: SEED },
    invariants: services > MOST_JUDGED ? [] : stackInvariants.filter(({ id }) => !OF_FEW_SERVICES.includes(id)),
  }).run();
  if (run.reason !== 'ended' || run.violations.length > 0) {
    throw new Error(`${services} services: ${run.violations[0]?.message ?? run.exception ?? run.reason}`);
  }
  const samples = scenario.samples(run.result as Nanos);
  const at = (index: number): Sample => samples[Math.round(index * (samples.length - 1))]!;
  if (services === 1) return [outageOf('1 service', [at(0)])];
  return [
    outageOf(`first of ${services} services`, [at(0)]),
    outageOf(`median of ${services}`, [at(0.5)]),
    outageOf(`last of ${services}`, [at(1)]),
  ];
}

/** An init script whose daemon starts at once. */
const daemon: Program = function* (_argv, os) {
  yield* os.sleep(0);
  return 0;
};

function servicesTopology(services: number, totem: string): Topology {
  const plain = plainTopology({
    machines: MACHINES,
    clusterConf: servicesConf({ nodes: MACHINES, services, totem }),
    programs: new Map([[INIT_SCRIPT, daemon]]),
  });
  const inWiderNetwork = <T extends { readonly address: string }>(each: T): T => ({
    ...each,
    address: each.address.replace('/24', '/16'),
  });
  return {
    ...plain,
    machines: plain.machines.map(inWiderNetwork),
    hosts: plain.hosts.filter(({ kind }) => kind !== 'browser').map(inWiderNetwork),
  };
}

/** All services start on the first node, and that one goes; the result is when. */
class ServiceFailover implements Scenario<Nanos> {
  readonly name = 'service-failover';
  readonly title = 'the node with all services loses its power';
  readonly kinds: readonly string[] = [...PHASE_KINDS, 'rg.service', 'rg.agent-started'];
  #facts: AnyFact[] = [];
  readonly #services: number;
  /** Node ids by service; 0: it is not started. */
  readonly #owners = new Map<unknown, number>();

  constructor(services: number) {
    this.#services = services;
  }

  *script(lab: Lab): Task<Nanos> {
    lab.powerOn(...lab.machines);
    yield* this.#untilAllAreOn(lab, 1);
    yield* lab.wait(30 * SECOND);
    const from = lab.now();
    this.#facts = [];
    lab.powerOff(lab.machines[0]!);
    yield* this.#untilAllAreOn(lab, 2);
    return from;
  }

  onFact(fact: Stamped): void {
    const any = fact as AnyFact;
    this.#facts.push(any);
    if (any.kind === 'rg.service') this.#owners.set(any.service, any.state === STARTED ? Number(any.owner) : 0);
  }

  *#untilAllAreOn(lab: Lab, node: number): Task {
    const until = lab.now() + 600 * SECOND;
    const isDone = (): boolean =>
      this.#owners.size === this.#services && [...this.#owners.values()].every((owner) => owner === node);
    while (!isDone()) {
      if (lab.now() >= until) throw new Error(`not all services were started on node ${node} within 10 minutes`);
      yield* lab.wait(SECOND);
    }
  }

  /** Outages of all services, the shortest first. */
  samples(from: Nanos): readonly Sample[] {
    const ofCluster = this.#facts.filter(({ kind }) => PHASE_KINDS.includes(kind) && kind !== 'rg.agent-ended');
    const begun = new Map<unknown, Nanos>();
    const samples: Sample[] = [];
    for (const { kind, service, action, state, at } of this.#facts) {
      if (kind === 'rg.agent-started' && action === 'start' && !begun.has(service)) begun.set(service, at);
      if (kind !== 'rg.service' || state !== STARTED) continue;
      samples.push({
        seconds: (at - from) / SECOND,
        phases: phasesOfService(from, begun.get(service)!, at, ofCluster),
      });
    }
    return samples.sort((a, b) => a.seconds - b.seconds);
  }
}

/** What all wait for together, then the wait for rgmanager to come to this service, then its agents. */
function phasesOfService(from: Nanos, begun: Nanos, to: Nanos, ofCluster: readonly AnyFact[]): readonly Phase[] {
  const together = phasesOf({ from, to: begun }, ofCluster, false);
  const decided = together.reduce((seconds, phase) => seconds - phase.seconds, (begun - from) / SECOND);
  return [...together, { name: 'decision', seconds: decided }, { name: 'start', seconds: (to - begun) / SECOND }];
}
