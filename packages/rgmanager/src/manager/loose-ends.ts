import { type ConfElement, descend } from '../conf/conf-element.js';
import type { ResourceRule } from '../tree/resource-rule.js';
import type { Configuration } from './configuration.js';

/** Children of `<rm>` that are no services. */
const SECTIONS: readonly string[] = ['failoverdomains', 'resources', 'resource-defaults', 'events', 'policy'];
/** A child of any resource that changes its agent's actions. */
const ACTION = 'action';

/**
 * What in `<rm>` leads nowhere, a line of the log each: types without an agent, and services that wait for one that is not there, or for each
 * other. All else runs.
 *
 * Differs from rgmanager: it says nothing, skips the first, starts the second, and never the third.
 */
export function* looseEnds(
  rm: ConfElement | undefined,
  rules: readonly ResourceRule[],
  configuration: Configuration,
): Generator<string> {
  const types = new Set(rules.map(({ type }) => type.toLowerCase()));
  for (const child of rm?.children ?? []) {
    if (!SECTIONS.includes(child.name)) yield* withoutAgent(child, types);
  }
  for (const child of descend(rm, 'resources')?.children ?? []) yield* withoutAgent(child, types);
  for (const service of configuration.dependents) yield* dependence(service, configuration);
}

function* withoutAgent(element: ConfElement, types: ReadonlySet<string>): Generator<string> {
  const { name, attributes, children } = element;
  if (name === ACTION) return;
  if (types.has(name.toLowerCase())) {
    for (const child of children) yield* withoutAgent(child, types);
    return;
  }
  const about = attributes.get('name') ?? attributes.get('ref') ?? '';
  yield `No agent for resource ${name}:${about}; leaving it out, and what is below it`;
}

function* dependence(service: string, configuration: Configuration): Generator<string> {
  const path = [service];
  for (;;) {
    const depended = configuration.property(path.at(-1)!, 'depend');
    if (depended === undefined) return;
    const next = configuration.resources.findRoot(depended)?.name;
    if (next === undefined) {
      if (path.length === 1) yield `${service} depends on ${depended}, which does not exist`;
      return;
    }
    // Told once, at the member that comes first in the file.
    const isFirst = path.every(
      (each) => configuration.services.indexOf(service) <= configuration.services.indexOf(each),
    );
    if (next === service && isFirst) yield `${[...path, next].join(' depends on ')}: none of them can start`;
    if (path.includes(next)) return;
    path.push(next);
  }
}
