import { atoi } from '../conf/atoi.js';
import { type ConfElement, childrenNamed } from '../conf/conf-element.js';
import { expandTime } from '../conf/time-text.js';
import { Mutex } from '../runtime/mutex.js';
import { AttributeFlag, type ResourceRule, type RuleAction } from './resource-rule.js';

export interface Attribute {
  readonly name: string;
  /** The text, or with INHERIT the path that it comes from. */
  readonly value: string;
  /** `AttributeFlag`s. */
  readonly flags: number;
}

/** Says what was found wrong or changed while a configuration is read, in the words of `rg_test`. */
export type Report = (text: string) => void;

/** A resource: something with a name that an agent starts, checks and stops, wherever the tree refers to it. */
export class Resource {
  readonly rule: ResourceRule;
  /** The primary one first. An attribute without text and default is not there at all. */
  readonly attributes: readonly Attribute[];
  readonly actions: readonly RuleAction[];
  /** Written where it is used, not in the resources section. */
  readonly isInline: boolean;
  /** One agent call at a time, whichever service it is for. */
  readonly mutex: Mutex = new Mutex();
  /** Nodes of the tree that refer to it. */
  references = 0;
  /** How often it is started on this host. */
  incarnations = 0;
  isNonCritical = false;
  isCommon = false;
  needsStart = false;
  needsStop = false;
  isReconfigured = false;

  constructor(rule: ResourceRule, attributes: readonly Attribute[], actions: readonly RuleAction[], isInline: boolean) {
    this.rule = rule;
    this.attributes = attributes;
    this.actions = actions;
    this.isInline = isInline;
  }

  /** Value of its primary attribute. */
  get primary(): string {
    return this.attributes[0]?.value ?? '';
  }

  /** `service:my_service_group`. */
  get name(): string {
    return `${this.rule.type}:${this.primary}`;
  }

  attribute(name: string): Attribute | undefined {
    return this.attributes.find((attribute) => attribute.name === name);
  }

  /** Text of an attribute; undefined if it is absent or inherited. */
  text(name: string): string | undefined {
    const attribute = this.attribute(name);
    return attribute === undefined || (attribute.flags & AttributeFlag.INHERIT) !== 0 ? undefined : attribute.value;
  }
}

/**
 * Reads a resource off an element; undefined if it lacks its primary or a required attribute, or has none at all.
 *
 * Source: rgmanager src/daemons/reslist.c, `load_resource`.
 */
export function loadResource(
  rule: ResourceRule,
  element: ConfElement,
  isInline: boolean,
  report: Report,
): Resource | undefined {
  const attributes: Attribute[] = [];
  for (const { name, flags, value: fallback } of rule.attributes) {
    const text = element.attributes.get(name);
    if (text !== undefined) {
      attributes.push({ name, value: text, flags: flags & ~AttributeFlag.INHERIT });
    } else if ((flags & (AttributeFlag.REQUIRED | AttributeFlag.PRIMARY)) !== 0) {
      return undefined;
    } else if (fallback !== undefined) {
      attributes.push({ name, value: fallback, flags });
    }
  }
  if (attributes.length === 0) return undefined;
  return new Resource(rule, attributes, overriddenActions(rule, element, report), isInline);
}

/** The rule's actions with what `<action .../>` below the element changes. */
function overriddenActions(rule: ResourceRule, element: ConfElement, report: Report): readonly RuleAction[] {
  let actions = rule.actions;
  for (const { attributes } of childrenNamed(element, 'action')) {
    const name = attributes.get('name');
    if (name === undefined) break;
    actions = override(actions, name, depthOf(name, attributes), attributes, report);
  }
  return actions;
}

/** -1 stands for all depths. */
function depthOf(name: string, attributes: ReadonlyMap<string, string>): number {
  const depth = attributes.get('depth');
  if (depth === undefined || (name !== 'status' && name !== 'monitor') || depth.startsWith('*')) return -1;
  return Math.max(0, atoi(depth));
}

function override(
  actions: readonly RuleAction[],
  name: string,
  depth: number,
  attributes: ReadonlyMap<string, string>,
  report: Report,
): readonly RuleAction[] {
  const timeoutSec = secondsOf(attributes.get('timeout'));
  const intervalSec = secondsOf(attributes.get('interval'));
  if (depth < 0 && timeoutSec === undefined && intervalSec === undefined) return actions;
  const isMatch = (action: RuleAction): boolean => action.name === name && (depth === -1 || action.depth === depth);
  if (actions.some(isMatch)) {
    return actions.map((action) => (isMatch(action) ? replaced(action, timeoutSec, intervalSec, report) : action));
  }
  if (depth < 0 || timeoutSec === undefined || intervalSec === undefined) return actions;
  return [...actions, { name, depth, timeoutSec, intervalSec }];
}

function secondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : expandTime(text);
}

function replaced(
  action: RuleAction,
  timeoutSec: number | undefined,
  intervalSec: number | undefined,
  report: Report,
): RuleAction {
  const timeout = timeoutSec === undefined ? '' : `timeout: ${action.timeoutSec}->${timeoutSec} `;
  const interval = intervalSec === undefined ? '' : `interval: ${action.intervalSec}->${intervalSec}`;
  report(`Replacing action '${action.name}' depth ${action.depth}: ${timeout}${interval}`);
  return {
    ...action,
    timeoutSec: timeoutSec ?? action.timeoutSec,
    intervalSec: intervalSec ?? action.intervalSec,
  };
}

/** What tells two resources apart. */
export type Difference =
  | 'none'
  /** Different types. */
  | 'type'
  /** Something that needs a restart. */
  | 'restart'
  /** Texts of attributes that can be changed while it runs, and nothing else. */
  | 'reconfig';

/**
 * Compares the resources of two configurations. Action overrides and flags of nodes are not looked at, and an attribute
 * that one of them lacks needs a restart, whatever its kind.
 *
 * Source: rgmanager src/daemons/reslist.c, `rescmp`.
 */
export function compareResources(left: Resource, right: Resource): Difference {
  if (left.rule.type !== right.rule.type) return 'type';
  let difference: Difference = 'none';
  for (const { name, value, flags } of left.attributes) {
    const other = right.attribute(name);
    if (other === undefined || other.flags !== flags) return 'restart';
    if (other.value === value) continue;
    if ((flags & AttributeFlag.RECONFIG) === 0) return 'restart';
    difference = 'reconfig';
  }
  return left.attributes.length === right.attributes.length ? difference : 'restart';
}
