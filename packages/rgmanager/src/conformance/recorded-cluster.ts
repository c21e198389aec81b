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

  /** Nodes run and have looked at each other, but no service was started, and none was seen by anybody. */
  constructor(conf: ConfElement, nodes: readonly number[], agents: readonly InstalledAgent[]) {
    this.#services = loadConfiguration(conf, loadRules(agents), () => {}).services;
    // The original starts what another node is stopping for its recovery.
    this.cluster = new RgCluster(withoutPolls(conf), {
      agents,
      stopsBeforeStart: false,
      startsWhatIsBeingStopped: true,
    });
    this.cluster.takesTurns = true;
    this.#join(
      nodes,
      this.#services.map((service) => freshRecord(service, ServiceState.STOPPED)),
    );
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

  down(id: number): void {
    this.cluster.kill(id);
    this.cluster.lose(id);
    this.cluster.fenced(id);
    this.cluster.settle();
  }

  up(id: number): void {
    if (this.#isLocked) return this.#joinLocked(id);
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
    return this.#services.map((service) => this.cluster.record(service)!);
  }

  /** These nodes run, and no others; services may move. */
  gather(nodes: readonly number[]): void {
    const { running } = this.cluster;
    for (const id of nodes) if (!running.includes(id)) this.up(id);
    for (const id of running) if (!nodes.includes(id)) this.down(id);
  }

  /** A node by itself thinks about another, or itself, that came or is gone. What it would have done is taken back. */
  evaluate(node: number, about: number, isUp: boolean): void {
    const before = this.#records();
    const others = this.cluster.running.filter((id) => id !== about);
    const all = [...others, about].sort((a, b) => a - b);
    // While services are locked nobody thinks about them.
    this.lock(true);
    if (node === about) this.down(node);
    else this.cluster.tellListening(node, isUp ? others : all);
    this.lock(false);
    this.cluster.told.length = 0;
    if (node === about) this.up(node);
    else this.cluster.tellListening(node, isUp ? all : others);
    this.cluster.settle();
    const { told } = this.cluster;
    const acted = told.some(({ kind }) => kind === 'exec');
    const logs = told.filter(({ kind }) => kind === 'log');
    told.splice(0, told.length, ...logs);
    if (acted) for (const record of before) this.cluster.setRecord(record);
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
    return this.#services.map((service) => {
      const { state, owner, lastOwner, restarts, flags } = this.cluster.record(service)!;
      return `  ${service} ${stateText(state)} owner=${owner} last=${lastOwner} restarts=${restarts} flags=${flags}`;
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
