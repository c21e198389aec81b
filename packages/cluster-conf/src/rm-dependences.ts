import type { ElementReader } from './element-reader.js';

/**
 * Warns about services that wait for one that is not there, or for each other: none of them ever starts.
 *
 * `depend` names a service or virtual machine as `clustat` does, `service:web`. A circle is told of once, at its first service in the file.
 */
export function checkDependences(rm: ElementReader): void {
  const groups = new Map<string, ElementReader>();
  for (const group of [...rm.children('service'), ...rm.children('vm')]) {
    const name = `${group.element.name}:${group.element.attributes.get('name') ?? ''}`;
    if (!groups.has(name)) groups.set(name, group);
  }
  const names = [...groups.keys()];
  for (const [name, group] of groups) {
    const depended = dependedOn(group);
    if (depended !== undefined && !groups.has(depended)) {
      group.warn('depend', 'a service or vm that is there, as in service:name; this one never starts');
    }
    const circle = circleFrom(name, groups);
    const isFirst = circle?.every((other) => names.indexOf(name) <= names.indexOf(other));
    if (circle === undefined || !isFirst) continue;
    const [first, ...others] = circle;
    group.warn('depend', `no circle: ${[first, ...others, first].join(' depends on ')}; none of them ever starts`);
  }
}

/** A name without a type is that of a service. */
function dependedOn({ element }: ElementReader): string | undefined {
  const name = element.attributes.get('depend');
  return name === undefined || name.includes(':') ? name : `service:${name}`;
}

/** The services of the circle that a service is in, from it on. */
function circleFrom(start: string, groups: ReadonlyMap<string, ElementReader>): readonly string[] | undefined {
  const path = [start];
  for (;;) {
    const group = groups.get(path.at(-1)!);
    const next = group && dependedOn(group);
    if (next === undefined) return undefined;
    if (next === start) return path;
    if (path.includes(next)) return undefined;
    path.push(next);
  }
}
