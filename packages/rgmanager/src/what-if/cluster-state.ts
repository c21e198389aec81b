import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';
import { type ServiceRecord, ServiceState, stateText } from '../state/service-record.js';

/** A cluster as somebody has found it. Nodes are named by their ids. */
export interface ClusterState {
  /** Members of the cluster. */
  readonly members: readonly number[];
  /** Members whose rgmanager runs. */
  readonly running: readonly number[];
  readonly standby: readonly number[];
  /** Node that decides for all; 0: none. */
  readonly master: number;
  readonly services: readonly ServiceRecord[];
}

/** States that a service stays in by itself. In the others somebody is doing something about it. */
const SETTLED: readonly number[] = [
  ServiceState.STOPPED,
  ServiceState.STARTED,
  ServiceState.FAILED,
  ServiceState.RECOVER,
  ServiceState.DISABLED,
];

/**
 * Reads what `clustat -x` prints on a node whose rgmanager runs.
 *
 * @param conf - the root of cluster.conf.
 * @param clustat - the root of the output.
 * @throws {RangeError} when it is something else, names nodes or services that are not in cluster.conf, or shows a service between two states.
 */
export function readClusterState(conf: ConfElement, clustat: ConfElement): ClusterState {
  const groups = descend(clustat, 'groups');
  const nodes = childrenNamed(descend(clustat, 'nodes'), 'node').filter((node) => !isOn(node, 'qdisk'));
  if (clustat.name !== 'clustat' || nodes.length === 0 || groups === undefined) {
    throw new RangeError(
      `found <${clustat.name}>${clustat.name === 'clustat' ? ' without <nodes> or <groups>' : ''}, ` +
        'expected what clustat -x prints on a node whose rgmanager runs',
    );
  }
  const names = new Names(conf);
  const idsWith = (attribute: string): readonly number[] =>
    nodes.filter((node) => isOn(node, attribute)).map((node) => names.nodeOf(node, 'name'));
  const running = idsWith('rgmanager');
  const services = childrenNamed(groups, 'group').map((group) => recordOf(group, names));
  for (const { name, state, owner } of services) {
    if (state !== ServiceState.STARTED || running.includes(owner)) continue;
    throw new RangeError(`found ${name} started on node ${owner}, expected an owner whose rgmanager runs`);
  }
  return {
    members: idsWith('state'),
    running,
    standby: idsWith('standby'),
    master: idsWith('rgmanager_master')[0] ?? 0,
    // Nobody has written a record for one that is not initialized.
    services: services.filter(({ state }) => state !== ServiceState.UNINITIALIZED),
  };
}

function isOn({ attributes }: ConfElement, attribute: string): boolean {
  return attributes.get(attribute) === '1';
}

function recordOf(group: ConfElement, names: Names): ServiceRecord {
  const name = names.serviceOf(group);
  const numberOf = (attribute: string): number => {
    const text = group.attributes.get(attribute) ?? '';
    if (!/^\d+$/.test(text)) throw new RangeError(`found ${name} with ${attribute}="${text}", expected a number`);
    return Number(text);
  };
  const state = numberOf('state');
  if (!SETTLED.includes(state) && state !== ServiceState.UNINITIALIZED) {
    const found = stateText(state) === 'Unknown' ? `in state ${state}` : stateText(state);
    throw new RangeError(`found ${name} ${found}, expected ${SETTLED.map(stateText).join(', ')}`);
  }
  return {
    name,
    state,
    owner: names.nodeOf(group, 'owner'),
    lastOwner: group.attributes.get('last_owner') === 'unknown' ? 0 : names.nodeOf(group, 'last_owner'),
    restarts: numberOf('restarts'),
    transition: numberOf('last_transition'),
    flags: numberOf('flags'),
  };
}

/** Nodes and services of a cluster.conf. */
class Names {
  readonly #nodes: ReadonlyMap<string, number>;
  readonly #services: readonly string[];

  constructor(conf: ConfElement) {
    const nodes = childrenNamed(descend(conf, 'clusternodes'), 'clusternode');
    this.#nodes = new Map(
      nodes.map(({ attributes }) => [attributes.get('name') ?? '', Number(attributes.get('nodeid'))]),
    );
    const services = descend(conf, 'rm')?.children ?? [];
    this.#services = services.map(
      ({ name, attributes }) => `${name}:${attributes.get('name') ?? attributes.get('ref')}`,
    );
  }

  /** 0 for `none`. */
  nodeOf(element: ConfElement, attribute: string): number {
    const name = element.attributes.get(attribute) ?? '';
    if (name === 'none' && element.name === 'group') return 0;
    const id = this.#nodes.get(name);
    if (id !== undefined) return id;
    const of = element.name === 'group' ? `${attribute} of ${element.attributes.get('name')}` : element.name;
    throw new RangeError(`found ${of} "${name}", expected ${[...this.#nodes.keys()].join(', ')}`);
  }

  serviceOf({ attributes }: ConfElement): string {
    const name = attributes.get('name') ?? '';
    if (this.#services.includes(name)) return name;
    throw new RangeError(`found group "${name}", which is not in cluster.conf`);
  }
}
