import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';
import { loadResource, type Report, type Resource } from './resource.js';
import { AttributeFlag, type ResourceRule, type RuleAttribute } from './resource-rule.js';

/** Resources in the order in which they were stored: those of the resources section by type, then inline ones. */
export class ResourceList {
  readonly #resources: Resource[] = [];
  readonly #byType = new Map<string, Resource[]>();
  /** By type and primary text: the first with it. */
  readonly #byPrimary = new Map<string, Map<string, Resource>>();

  [Symbol.iterator](): Iterator<Resource> {
    return this.#resources[Symbol.iterator]();
  }

  get size(): number {
    return this.#resources.length;
  }

  /**
   * Stores a resource unless one of its type has the same text in an attribute that is primary or unique in the new one;
   * texts that the other inherits do not count.
   *
   * Source: rgmanager src/daemons/reslist.c, `store_resource`.
   */
  store(resource: Resource, report: Report): boolean {
    const { type } = resource.rule;
    for (const other of this.#byType.get(type) ?? []) {
      for (const { name, value, flags } of resource.attributes) {
        if ((flags & (AttributeFlag.PRIMARY | AttributeFlag.UNIQUE)) === 0) continue;
        if (other.text(name) !== value) continue;
        const kind = (flags & AttributeFlag.PRIMARY) !== 0 ? 'Primary' : 'Unique';
        report(`Error: ${kind} attribute collision. type=${type} attr=${name} value=${value}`);
        report(`Error storing ${type} resource`);
        return false;
      }
    }
    this.#resources.push(resource);
    this.#index(resource);
    return true;
  }

  #index(resource: Resource): void {
    const { type } = resource.rule;
    const [ofType, byPrimary] = [
      this.#byType.get(type) ?? [],
      this.#byPrimary.get(type) ?? new Map<string, Resource>(),
    ];
    this.#byType.set(type, ofType);
    this.#byPrimary.set(type, byPrimary);
    ofType.push(resource);
    for (const { value, flags } of resource.attributes) {
      if ((flags & AttributeFlag.PRIMARY) !== 0 && !byPrimary.has(value)) byPrimary.set(value, resource);
    }
  }

  /**
   * The resource of that type whose primary attribute has that text; failing that, the first with such a text in an
   * attribute that is unique and required.
   */
  find(type: string, reference: string): Resource | undefined {
    const mask = AttributeFlag.UNIQUE | AttributeFlag.REQUIRED;
    const isMatch = ({ attributes }: Resource): boolean =>
      attributes.some(({ value, flags }) => value === reference && (flags & mask) === mask);
    return this.#byPrimary.get(type)?.get(reference) ?? this.#byType.get(type)?.find(isMatch);
  }

  /** The resource with that name, `type:name`; without a colon the type is `service`. */
  findRoot(name: string): Resource | undefined {
    const colon = name.indexOf(':');
    const type = colon < 0 ? 'service' : name.slice(0, colon);
    return this.#byPrimary.get(type)?.get(name.slice(colon + 1));
  }
}

/**
 * Loads `/cluster/rm/resources`, by the order of the rules. An element without a required attribute hides all later
 * ones of its type.
 *
 * Source: rgmanager src/daemons/reslist.c, `load_resources`.
 */
export function loadResources(
  rm: ConfElement | undefined,
  rules: readonly ResourceRule[],
  list: ResourceList,
  report: Report,
): void {
  const section = descend(rm, 'resources');
  for (const rule of rules) {
    for (const element of childrenNamed(section, rule.type)) {
      const resource = loadResource(rule, element, false, report);
      if (resource === undefined) break;
      list.store(resource, report);
    }
  }
}

/**
 * The rules with the defaults that `/cluster/rm/resource-defaults` gives to attributes that are neither primary nor
 * unique; such an attribute is no longer inherited. Of several elements for one type the first with the attribute counts.
 */
export function applyResourceDefaults(
  rm: ConfElement | undefined,
  rules: readonly ResourceRule[],
  report: Report,
): readonly ResourceRule[] {
  const section = descend(rm, 'resource-defaults');
  return rules.map((rule) => {
    const elements = childrenNamed(section, rule.type);
    if (elements.length === 0) return rule;
    const attributes = rule.attributes.map((attribute) => {
      const element = elements.find((each) => each.attributes.has(attribute.name));
      return withDefault(rule, attribute, element?.attributes.get(attribute.name), report);
    });
    return { ...rule, attributes };
  });
}

function withDefault(
  rule: ResourceRule,
  attribute: RuleAttribute,
  text: string | undefined,
  report: Report,
): RuleAttribute {
  const { name, flags, value } = attribute;
  if ((flags & (AttributeFlag.PRIMARY | AttributeFlag.UNIQUE)) !== 0) return attribute;
  if (text === undefined || text === value) return attribute;
  const about = `default for ${rule.type} attr ${name}`;
  report(value === undefined ? `setting ${about} to ${text}` : `changing ${about} from ${value} to ${text}`);
  return { name, value: text, flags: flags & ~AttributeFlag.INHERIT };
}
