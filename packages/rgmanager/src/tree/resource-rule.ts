import type { AgentMetadata, AgentParameter } from '../conf/agent-metadata.js';
import { expandTime } from '../conf/time-text.js';

/** Flags of an attribute, of a rule's and of a resource's. */
export const AttributeFlag = { PRIMARY: 1, UNIQUE: 2, REQUIRED: 4, INHERIT: 8, RECONFIG: 16 } as const;

export interface RuleAttribute {
  readonly name: string;
  /** `AttributeFlag`s. */
  readonly flags: number;
  /** The path to inherit from if it has INHERIT, otherwise the default; undefined if there is none. */
  readonly value: string | undefined;
}

export interface RuleAction {
  readonly name: string;
  readonly depth: number;
  readonly timeoutSec: number;
  /** 0: never by itself. */
  readonly intervalSec: number;
}

export interface ChildType {
  readonly type: string;
  /** 1..100; 0: not started, or not stopped, by level. */
  readonly startLevel: number;
  readonly stopLevel: number;
  readonly isForbidden: boolean;
}

/** What an agent's metadata means to rgmanager: a type of resources. */
export interface ResourceRule {
  readonly type: string;
  /** Path of the agent. */
  readonly agent: string;
  /** References that a resource of this type may have; 0: any number. */
  readonly maxReferences: number;
  readonly initOnAdd: boolean;
  readonly destroyOnDelete: boolean;
  /** The primary one first. */
  readonly attributes: readonly RuleAttribute[];
  readonly actions: readonly RuleAction[];
  /** In the order of the file; undefined if the agent names none. */
  readonly childTypes: readonly ChildType[] | undefined;
}

/** Name that no resource type can have: overrides of actions are written with it. */
const RESERVED_TYPE = 'action';

/**
 * The rule that an agent's metadata makes; undefined for two primary parameters, for one that is inherited and also
 * primary, unique or required, and for the reserved name `action`.
 *
 * Source: rgmanager src/daemons/resrules.c.
 */
function resourceRule(metadata: AgentMetadata, agent: string): ResourceRule | undefined {
  const attributes = ruleAttributes(metadata.parameters);
  if (attributes === undefined || metadata.name === '' || metadata.name === RESERVED_TYPE) return undefined;
  const childTypes = (metadata.children ?? []).map(({ type, start = 0, stop = 0, isForbidden = false }) => ({
    type,
    startLevel: start,
    stopLevel: stop,
    isForbidden,
  }));
  return {
    type: metadata.name,
    agent,
    maxReferences: metadata.maxInstances ?? 0,
    initOnAdd: metadata.initOnAdd ?? true,
    destroyOnDelete: metadata.destroyOnDelete ?? true,
    attributes,
    actions: metadata.actions.map(({ name, timeout = '', interval, depth = 0 }) => ({
      name,
      depth: name === 'status' || name === 'monitor' ? depth : 0,
      timeoutSec: expandTime(timeout),
      intervalSec: interval === undefined ? 0 : Math.max(1, expandTime(interval)),
    })),
    childTypes: childTypes.length === 0 ? undefined : childTypes,
  };
}

/** A primary attribute changes places with the one at position 0, which goes to the end of what is there by then. */
function ruleAttributes(parameters: readonly AgentParameter[]): readonly RuleAttribute[] | undefined {
  const attributes: RuleAttribute[] = [];
  for (const parameter of parameters) {
    const attribute = ruleAttribute(parameter);
    if (attribute === undefined) return undefined;
    attributes.push(attribute);
    if (!parameter.isPrimary) continue;
    if ((attributes[0]!.flags & AttributeFlag.PRIMARY) !== 0 && attributes.length > 1) return undefined;
    attributes[attributes.length - 1] = attributes[0]!;
    attributes[0] = attribute;
  }
  return attributes;
}

function ruleAttribute(parameter: AgentParameter): RuleAttribute | undefined {
  const { name, inherit } = parameter;
  let flags = 0;
  if (parameter.isPrimary) flags |= AttributeFlag.PRIMARY;
  if (parameter.isUnique) flags |= AttributeFlag.UNIQUE;
  if (parameter.isRequired) flags |= AttributeFlag.REQUIRED;
  if (parameter.isReconfig) flags |= AttributeFlag.RECONFIG;
  if (inherit === undefined) return { name, flags, value: parameter.default };
  const excluded = AttributeFlag.PRIMARY | AttributeFlag.UNIQUE | AttributeFlag.REQUIRED;
  return (flags & excluded) !== 0 ? undefined : { name, flags: flags | AttributeFlag.INHERIT, value: inherit };
}

/** An agent that is installed: its file, and what it answers to `meta-data`. */
export interface InstalledAgent {
  /** `/usr/share/cluster/ip.sh`. */
  readonly file: string;
  readonly metadata: AgentMetadata;
}

/** Rules of the agents that make one, by type without regard to case; of two with one type the first counts. */
export function loadRules(agents: Iterable<InstalledAgent>): readonly ResourceRule[] {
  const rules = new Map<string, ResourceRule>();
  for (const { file, metadata } of agents) {
    const rule = resourceRule(metadata, file);
    const key = metadata.name.toLowerCase();
    if (rule !== undefined && !rules.has(key)) rules.set(key, rule);
  }
  return [...rules].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule);
}
