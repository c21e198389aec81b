import type { ConfElement } from '../conf/conf-element.js';
import type { ServiceOperation } from '../io.js';
import { loadConfiguration } from '../manager/load-configuration.js';
import { Request } from '../state/request.js';
import { resultText } from '../state/result.js';
import { freshRecord, type ServiceRecord, ServiceState, stateText } from '../state/service-record.js';
import { type InstalledAgent, loadRules } from '../tree/resource-rule.js';
import { type AgentCall, RgCluster, type Told } from '../virtual-cluster.js';

/** Checks of services are asked for by the cases themselves. */
const NEVER = '100000000';

function withoutPolls(conf: ConfElement): ConfElement {
  return {
    ...conf,
    children: conf.children.map((child) => {
      if (child.name !== 'rm') return child;
      return { ...child, attributes: new Map([...child.attributes, ['status_poll_interval', NEVER]]) };
    }),
  };
}

const STATES: ReadonlyMap<string, number> = new Map(
  Object.values(ServiceState).map((state) => [stateText(state), state]),
);

function stateOf(text: string): number {
  const state = STATES.get(text);
  if (state === undefined) throw new RangeError(`${text} is no state of a service`);
  return state;
}

interface Failure {
  readonly node: number;
  readonly action: string;
  readonly resource: string;
  readonly status: number;
}

/** A cluster in the situation that a recorded case begins with, driven command by command. */
export class RecordedCluster {
  readonly cluster: RgCluster;
  readonly #services: readonly string[];
  #failures: Failure[] = [];
  #isLocked = false;

  /** Nodes run and have looked at each other, but no service has a record. */
  constructor(conf: ConfElement, nodes: readonly number[], agents: readonly InstalledAgent[]) {
    this.#services = loadConfiguration(conf, loadRules(agents), () => {}).services;
    this.cluster = new RgCluster(withoutPolls(conf), {
      agents,
      stopsBeforeStart: false,
      recoversAsOriginal: true,
    });
    this.cluster.takesTurns = true;
    this.#join(nodes, []);
    this.cluster.beforeEvent = () => this.#lookAtAll();
    this.cluster.agent = (call) => ({ takes: 0, status: this.#statusOf(call) });
    this.cluster.told.length = 0;
  }

  /** These nodes find the services like that, and do not think about them. */
  #join(nodes: readonly number[], records: readonly ServiceRecord[]): void {
    this.cluster.resume(nodes, nodes, { records, standby: [], master: 0 });
    this.cluster.settle();
  }

  lock(isLocked: boolean): void {
    this.#isLocked = isLocked;
    this.cluster.request(this.cluster.running[0]!, { kind: isLocked ? 'lock' : 'unlock' });
    this.cluster.settle();
  }

  fail(failure: Failure): void {
    this.#failures.push(failure);
  }

  heal(): void {
    this.#failures = [];
  }

  /** Whoever thinks about services reads the records of all, and a missing one is written by that. */
  #lookAtAll(): void {
    if (this.#isLocked) return;
    for (const service of this.#services) {
      const isKnown = this.cluster.record(service) !== undefined;
      if (!isKnown) this.cluster.setRecord(freshRecord(service, ServiceState.STOPPED));
    }
  }

  down(id: number): void {
    this.#lookAtAll();
    this.cluster.kill(id);
    this.cluster.lose(id);
    this.cluster.fenced(id);
    this.cluster.settle();
  }

  up(id: number): void {
    if (this.#isLocked) return this.#joinLocked(id);
    this.#lookAtAll();
    this.cluster.start(id);
    this.cluster.settle();
  }

  /** The recordings have one lock for all, which binds who has just come, too. */
  #joinLocked(id: number): void {
    const records = this.#records();
    this.#join([id], records);
    this.lock(true);
    // Now it has them in the others' view.
    for (const record of records) this.cluster.setRecord(record);
    this.cluster.told.length = 0;
  }

  #records(): readonly ServiceRecord[] {
    return this.#services.flatMap((service) => this.cluster.record(service) ?? []);
  }

  /** These nodes run, and no others; services may move. */
  gather(nodes: readonly number[]): void {
    const { running } = this.cluster;
    for (const id of nodes) if (!running.includes(id)) this.up(id);
    for (const id of running) if (!nodes.includes(id)) this.down(id);
  }

  /** A node by itself thinks about another, or itself, that came or is gone, and does nothing. */
  evaluate(node: number, about: number, isUp: boolean): void {
    if (this.#isLocked) return;
    this.#lookAtAll();
    if (node === about) return this.#evaluateItself(node);
    const others = this.cluster.running.filter((id) => id !== about);
    const all = [...others, about].sort((a, b) => a - b);
    // Services of who is there are not to be taken from it: while they are locked nobody thinks about them.
    if (isUp) this.lock(true);
    this.cluster.tellListening(node, isUp ? others : all);
    this.cluster.settleWithoutTurns();
    if (isUp) this.lock(false);
    this.cluster.told.length = 0;
    this.cluster.tellListening(node, isUp ? all : others);
    this.cluster.settleWithoutTurns();
  }

  /** Who is new does not know that services are locked, and is the only one to think about them. */
  #evaluateItself(node: number): void {
    this.lock(true);
    this.down(node);
    this.cluster.told.length = 0;
    this.cluster.start(node);
    this.cluster.settleWithoutTurns();
    const told = this.cluster.told.splice(0);
    this.lock(false);
    this.cluster.told.splice(0, Infinity, ...told);
  }

  set(service: string, state: string, owner: number, lastOwner: number, flags = 0, transition = 1): void {
    const record = { name: service, state: stateOf(state), owner, lastOwner, flags, transition, restarts: 0 };
    this.cluster.setRecord(record);
  }

  request(node: number, operation: string, service: string, target = 0): void {
    if (operation === 'status') this.cluster.action(node, service, Request.STATUS);
    else this.cluster.request(node, { kind: operation as ServiceOperation, service, target });
    this.cluster.settle();
  }

  show(): readonly string[] {
    return this.#records().map(({ name, state, owner, lastOwner, restarts, flags }) => {
      return `  ${name} ${stateText(state)} owner=${owner} last=${lastOwner} restarts=${restarts} flags=${flags}`;
    });
  }

  /** What was told since the last time, as the cases have it; logs from `notice` up. */
  takeTold(): readonly string[] {
    return this.cluster.told.splice(0).flatMap((told) => describe(told));
  }

  #statusOf({ node, action, resource }: AgentCall): number {
    const isMeant = (failure: Failure): boolean =>
      (failure.node === 0 || failure.node === node) &&
      failure.action === action &&
      (failure.resource === '*' || failure.resource === resource);
    return this.#failures.find(isMeant)?.status ?? 0;
  }
}

const QUIET: readonly string[] = ['info', 'debug'];
/** Cases begin with daemons that run. */
const STARTING_UP = /^(Status Polling Interval set|Resource Group Manager Starting)/;

function describe(told: Told): readonly string[] {
  switch (told.kind) {
    case 'log':
      return QUIET.includes(told.priority) || STARTING_UP.test(told.text)
        ? []
        : [`  n${told.node} log ${told.priority}: ${told.text}`];
    case 'exec': {
      const { node, action, resource, depth, argument } = told.call;
      const at = depth > 0 ? ` depth=${depth}` : '';
      return [
        `  n${node} exec ${action} ${resource}${at}${argument === undefined ? '' : ` ${argument}`} -> ${told.status}`,
      ];
    }
    case 'event': {
      const { service, state, owner, lastOwner } = told.message;
      return [`  n${told.node} event ${service} ${stateText(state)} owner=${owner} last=${lastOwner}`];
    }
    case 'reply': {
      const { reply } = told;
      return reply.kind === 'result' ? [`  = ${reply.code} (${resultText(reply.code)}) owner=n${reply.owner}`] : [];
    }
    case 'fence':
    case 'exited':
      return [];
  }
}
