/** Version that the tools give themselves. */
export const RGMANAGER_VERSION = '3.0.12.1';

/** A service as rgmanager calls it, from what a user calls it: `my_service_group` is `service:my_service_group`. */
export function qualifiedName(name: string): string {
  return name.includes(':') ? name : `service:${name}`;
}
