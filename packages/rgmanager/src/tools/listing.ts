import type { EventPattern, EventTrigger } from '../conf/event-triggers.js';
import type { FailoverDomain } from '../state/failover-domain.js';
import { stateText } from '../state/service-record.js';
import type { Attribute, Resource } from '../tree/resource.js';
import { attributeValue, type ResourceNode } from '../tree/resource-node.js';
import { AttributeFlag, type ChildType, type ResourceRule, type RuleAction } from '../tree/resource-rule.js';

/** Every listing is what `rg_test` prints, line ends and trailing blanks included. */

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function flagWords(flags: number, inherit: string): readonly string[] {
  const words: string[] = [];
  if ((flags & AttributeFlag.PRIMARY) !== 0) words.push('primary');
  if ((flags & AttributeFlag.UNIQUE) !== 0) words.push('unique');
  if ((flags & AttributeFlag.REQUIRED) !== 0) words.push('required');
  if ((flags & AttributeFlag.RECONFIG) !== 0) words.push('reconfig');
  if ((flags & AttributeFlag.INHERIT) !== 0) words.push(inherit);
  return words;
}

/** `rg_test ... rules`: one rule. */
export function formatRule(rule: ResourceRule): string {
  const flags = `${rule.initOnAdd ? 'init_on_add ' : ''}${rule.destroyOnDelete ? 'destroy_on_delete ' : ''}`;
  const attributes = rule.attributes.map(({ name, flags: bits, value }) => {
    const words = flagWords(bits, 'inherit');
    const marks = words.length === 0 ? '' : ` [ ${words.join(' ')} ]`;
    return `  ${name}${marks}${value === undefined ? '' : ` default="${value}"`}\n`;
  });
  const children = (rule.childTypes ?? []).map(formatChildType);
  return [
    `Resource Rules for "${rule.type}"\n`,
    rule.maxReferences > 0 ? `Max instances: ${rule.maxReferences}\n` : '',
    `Agent: ${basename(rule.agent)}\n`,
    `Flags: ${flags === '' ? '(none)' : flags}\n`,
    `Attributes:\n${attributes.length === 0 ? '  - None -\n' : attributes.join('')}`,
    `Actions:\n${rule.actions.map(formatAction).join('')}`,
    `Explicitly defined child resource types:\n${children.length === 0 ? '  - None -\n' : children.join('')}`,
    '\n',
  ].join('');
}

function formatChildType({ type, startLevel, stopLevel, isForbidden }: ChildType): string {
  const start = startLevel > 0 ? `startlevel = ${startLevel} ` : '';
  const stop = stopLevel > 0 ? `stoplevel = ${stopLevel} ` : '';
  const levels = start === '' && stop === '' ? '' : ` [ ${start}${stop}] `;
  return `  ${type}${levels}${isForbidden ? ' (forbidden)' : ''}\n`;
}

function formatAction({ name, depth, timeoutSec, intervalSec }: RuleAction): string {
  const timeout = timeoutSec > 0 ? `    Timeout (hint): ${timeoutSec} seconds\n` : '';
  const checkDepth = depth > 0 ? `    OCF Check Depth (status/monitor): ${depth} seconds\n` : '';
  const interval = intervalSec > 0 ? `    Check Interval: ${intervalSec} seconds\n` : '';
  return `  ${name}\n${timeout}${checkDepth}${interval}`;
}

/** One entry of `=== Resources List ===`. */
export function formatResource(resource: Resource): string {
  const { rule, references } = resource;
  const marks = [
    resource.isInline ? ' [INLINE]' : '',
    resource.needsStart ? ' [NEEDSTART]' : '',
    resource.needsStop ? ' [NEEDSTOP]' : '',
    resource.isCommon ? ' [COMMON]' : '',
    resource.isReconfigured ? ' [RECONFIG]' : '',
  ];
  const instances = rule.maxReferences > 0 ? `Instances: ${references}/${rule.maxReferences}\n` : '';
  const attributes = resource.attributes.map(formatAttribute).join('');
  return `Resource type: ${rule.type}${marks.join('')}\n${instances}Agent: ${basename(rule.agent)}\nAttributes:\n${attributes}\n`;
}

function formatAttribute({ name, value, flags }: Attribute): string {
  const words = flagWords(flags, `inherit("${value}")`);
  const text = (flags & AttributeFlag.INHERIT) !== 0 ? name : `${name} = ${value}`;
  return `  ${text}${words.length === 0 ? '' : ` [ ${words.join(' ')} ]`}\n`;
}

/** What stands below `=== Resource Tree ===`. */
export function formatTree(nodes: readonly ResourceNode[], level = 0): string {
  return nodes.map((node) => formatNode(node, level)).join('');
}

function formatNode(node: ResourceNode, level: number): string {
  const indent = '  '.repeat(level);
  const words = [
    node.needsStop ? 'NEEDSTOP ' : '',
    node.needsStart ? 'NEEDSTART ' : '',
    node.isCommon ? 'COMMON ' : '',
    node.isIndependent ? 'INDEPENDENT ' : '',
    node.isReconfigured ? 'RECONFIG ' : '',
    node.enforcesTimeouts ? 'ENFORCE-TIMEOUTS ' : '',
    node.isNonCritical ? 'NON-CRITICAL ' : '',
  ].join('');
  const attributes = node.resource.attributes.map(
    ({ name }) => `${indent}  ${name} = "${attributeValue(node, name) ?? '(null)'}";\n`,
  );
  const head = `${indent}${node.type}${words === '' ? '' : ` [ ${words}]`} (S${node.state}) {\n`;
  return `${head}${attributes.join('')}${formatTree(node.children, level + 1)}${indent}}\n`;
}

/** What stands below `=== Failover Domains ===`. */
export function formatDomain({ name, isOrdered, isRestricted, isNofailback, nodes }: FailoverDomain): string {
  const flags = `${isOrdered ? 'Ordered ' : ''}${isRestricted ? 'Restricted ' : ''}${isNofailback ? 'No Failback' : ''}`;
  const lines = nodes.map((node) => `  Node ${node.name} (id ${node.nodeId}, priority ${node.priority})\n`);
  return `Failover domain: ${name}\nFlags: ${flags === '' ? 'none' : flags}\n${lines.join('')}`;
}

/** What stands below `=== Event Triggers ===`. */
export function formatEventTriggers(triggers: readonly EventTrigger[]): string {
  return triggers
    .map((trigger, i) => {
      const isFirst = trigger.priority !== triggers[i - 1]?.priority;
      return `${isFirst ? `Event Priority Level ${trigger.priority}:\n` : ''}${formatTrigger(trigger)}`;
    })
    .join('');
}

function formatTrigger({ name, pattern, script }: EventTrigger): string {
  return `  Name: ${name}\n    ${formatPattern(pattern)}\n    ${'file' in script ? `File: ${script.file}` : 'Inline script.'}\n`;
}

function formatPattern(pattern: EventPattern): string {
  switch (pattern.kind) {
    case 'any':
      return '(Any event)';
    case 'node':
      return `Node ${pattern.nodeId} State ${pattern.state}`;
    case 'service':
      return `RG ${pattern.service} State ${stateText(pattern.state)}`;
  }
}
