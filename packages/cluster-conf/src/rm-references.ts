import type { ConfElement } from './element.js';
import type { ElementReader } from './element-reader.js';

/**
 * Warns about names in `<rm>` that lead nowhere. rgmanager logs each of them and starts without that part.
 *
 * Which attribute names a resource is known to its agent only, so a reference counts as good when any attribute of a
 * resource of that type has the value.
 */
export function checkReferences(rm: ElementReader, domains: readonly { readonly name: string }[]): void {
  const resources = rm.section('resources');
  const domainNames = new Set(domains.map(({ name }) => name.toLowerCase()));
  const named = new Map<string, ElementReader>();
  for (const group of [...rm.children('service'), ...rm.children('vm')]) {
    checkName(group, named);
    checkDomain(group, domainNames);
    checkTree(group, resources.element.children);
  }
  for (const resource of resources.everyChild()) checkDomain(resource, domainNames);
}

function checkName(group: ElementReader, named: Map<string, ElementReader>): void {
  const name = group.element.attributes.get('name');
  if (name === undefined) return;
  const key = `${group.element.name}:${name}`;
  if (named.has(key))
    group.warn('name', 'a name of its own; rgmanager says "Unique attribute collision" and leaves this one out');
  else named.set(key, group);
}

function checkDomain(group: ElementReader, domainNames: ReadonlySet<string>): void {
  const domain = group.element.attributes.get('domain')?.toLowerCase();
  if (domain === undefined || domainNames.has(domain)) return;
  group.warn(
    'domain',
    'the name of a failoverdomain; rgmanager says "#66: Domain … nonexistent!" and runs it anywhere',
  );
}

function checkTree(at: ElementReader, resources: readonly ConfElement[]): void {
  const reference = at.element.attributes.get('ref');
  if (reference !== undefined && !hasResource(resources, at.element.name, reference)) {
    at.warn(
      'ref',
      `the name of a ${at.element.name} in /cluster/rm/resources; rgmanager leaves out what is below it too`,
    );
  }
  for (const child of at.everyChild()) checkTree(child, resources);
}

function hasResource(resources: readonly ConfElement[], type: string, reference: string): boolean {
  const wanted = type.toLowerCase();
  return resources.some(
    (resource) => resource.name.toLowerCase() === wanted && [...resource.attributes.values()].includes(reference),
  );
}
