import type { LogPriority } from '@quorate/kernel';
import { ServiceState, stateText } from '../state/service-record.js';
import { atoi } from './atoi.js';
import { type ConfElement, childrenNamed, descend } from './conf-element.js';

/** Which events a script is run for; -1, or an empty name: all of them. */
export type EventPattern =
  | { readonly kind: 'any' }
  | {
      readonly kind: 'node';
      readonly nodeId: number;
      /** 1: came; 0: is gone. */
      readonly state: number;
      readonly isClean: number;
      readonly isLocal: number;
    }
  | { readonly kind: 'service'; readonly service: string; readonly state: number; readonly owner: number };

/** An entry of `<events>`: a script that central processing runs when something happens. */
export interface EventTrigger {
  readonly name: string;
  /** 1..100: the smallest number is asked first. */
  readonly priority: number;
  readonly pattern: EventPattern;
  /** A path, or the script itself. */
  readonly script: { readonly file: string } | { readonly text: string };
}

type Log = (priority: LogPriority, text: string) => void;

const PRIORITY_MAX = 100;
const DEFAULT_PRIORITY = 99;

/** File of the script that comes last and does what nobody else has done. */
export const DEFAULT_EVENT_SCRIPT = '/usr/share/cluster/default_event_script.sl';

const DEFAULT_TRIGGER: EventTrigger = {
  name: 'Default',
  priority: PRIORITY_MAX,
  pattern: { kind: 'any' },
  script: { file: DEFAULT_EVENT_SCRIPT },
};

/**
 * Reads the event triggers, by priority and then in the order of the file, the default one last. A wrong one is left out; one
 * without a name ends the list.
 *
 * Source: rgmanager src/daemons/event_config.c.
 */
export function readEventTriggers(cluster: ConfElement, log: Log): readonly EventTrigger[] {
  const triggers: EventTrigger[] = [];
  for (const element of childrenNamed(descend(cluster, 'rm', 'events'), 'event')) {
    if (element.attributes.get('name') === undefined) break;
    const trigger = readTrigger(cluster, element, log);
    if (trigger !== undefined) triggers.push(trigger);
  }
  return [...triggers, DEFAULT_TRIGGER].sort((a, b) => a.priority - b.priority);
}

function readTrigger(cluster: ConfElement, element: ConfElement, log: Log): EventTrigger | undefined {
  const { attributes, text = '' } = element;
  const name = attributes.get('name')!;
  const file = attributes.get('file');
  if (file === undefined && text === '') return undefined;
  const written = attributes.get('priority');
  const priority = written === undefined ? DEFAULT_PRIORITY : atoi(written);
  if (priority <= 0 || priority > PRIORITY_MAX) return void log('err', `event ${name}: priority ${written} invalid`);
  const pattern = readPattern(cluster, attributes, (class_) =>
    log('err', `event ${name}: class ${class_} unrecognized`),
  );
  if (pattern === undefined) return undefined;
  return { name, priority, pattern, script: file === undefined ? { text } : { file } };
}

/** A change of the configuration is no event that the original knows how to handle. */
function readPattern(
  cluster: ConfElement,
  attributes: ReadonlyMap<string, string>,
  unrecognized: (class_: string) => void,
): EventPattern | undefined {
  const class_ = attributes.get('class');
  switch (class_?.toLowerCase()) {
    case undefined:
      return { kind: 'any' };
    case 'node':
      return nodePattern(cluster, attributes);
    case 'service':
    case 'resource':
    case 'rg':
      return servicePattern(cluster, attributes);
    case 'config':
    case 'reconfig':
      return undefined;
    default:
      return void unrecognized(class_!);
  }
}

function nodePattern(cluster: ConfElement, attributes: ReadonlyMap<string, string>): EventPattern | undefined {
  const id = attributes.get('node_id');
  const name = attributes.get('node');
  let nodeId = -1;
  if (id !== undefined) nodeId = atoi(id);
  else if (name !== undefined) nodeId = nodeIdOf(cluster, name);
  if ((id !== undefined || name !== undefined) && nodeId <= 0) return undefined;
  const flag = (attribute: string): number => {
    const value = attributes.get(attribute);
    return value === undefined ? -1 : Number(atoi(value) !== 0);
  };
  return {
    kind: 'node',
    nodeId,
    state: nodeState(attributes),
    isClean: flag('node_clean'),
    isLocal: flag('node_local'),
  };
}

function nodeState(attributes: ReadonlyMap<string, string>): number {
  const state = attributes.get('node_state')?.toLowerCase();
  if (state === undefined) return -1;
  if (state === 'up') return 1;
  return state === 'down' ? 0 : Number(atoi(state) !== 0);
}

function servicePattern(cluster: ConfElement, attributes: ReadonlyMap<string, string>): EventPattern | undefined {
  const service = attributes.get('service');
  if (service === '') return undefined;
  const owner = attributes.get('service_owner');
  return { kind: 'service', service: service ?? '', state: serviceState(attributes), owner: ownerOf(cluster, owner) };
}

function serviceState(attributes: ReadonlyMap<string, string>): number {
  const state = attributes.get('service_state');
  if (state === undefined) return -1;
  if (/^\d/.test(state)) return atoi(state);
  return Object.values(ServiceState).find((each) => stateText(each) === state.toLowerCase()) ?? -1;
}

/** A number is taken for a truth value, as the original does. */
function ownerOf(cluster: ConfElement, owner: string | undefined): number {
  if (owner === undefined) return -1;
  return /^\d/.test(owner) ? Number(atoi(owner) !== 0) : nodeIdOf(cluster, owner);
}

/** 0: no clusternode has that name. */
function nodeIdOf(cluster: ConfElement, name: string): number {
  const nodes = childrenNamed(descend(cluster, 'clusternodes'), 'clusternode');
  return atoi(nodes.find(({ attributes }) => attributes.get('name') === name)?.attributes.get('nodeid') ?? '');
}
