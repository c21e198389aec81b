import type { InterfaceAddress } from './address.js';

/** What routes follow from. */
interface Addressed {
  readonly isUp: boolean;
  readonly addresses: readonly InterfaceAddress[];
}

/** A network, and the way there. */
export interface NetworkRoute<Interface extends Addressed> {
  readonly network: number;
  readonly mask: number;
  readonly prefixLength: number;
  /** Whom packets are sent to; undefined: to their destination itself. */
  readonly gateway: number | undefined;
  readonly via: Interface;
  /** The source address of whoever has not chosen one. */
  readonly source: number;
}

/**
 * Each network that an interface that is up has an address in, once, in the order of the addresses; then everything, by the gateway, where
 * one of them reaches it.
 */
export function routesOf<Interface extends Addressed>(
  interfaces: readonly Interface[],
  gateway: number | undefined,
): readonly NetworkRoute<Interface>[] {
  const routes: NetworkRoute<Interface>[] = [];
  for (const via of interfaces) {
    for (const { address, mask, network, prefixLength } of via.isUp ? via.addresses : []) {
      const isKnown = routes.some((route) => route.network === network && route.prefixLength === prefixLength);
      if (!isKnown) routes.push({ network, mask, prefixLength, gateway: undefined, via, source: address });
    }
  }
  const way = gateway === undefined ? undefined : bestRoute(routes, gateway);
  if (way !== undefined) routes.push({ ...way, network: 0, mask: 0, prefixLength: 0, gateway });
  return routes;
}

/** That of the longest prefix, the first of equal ones. */
export function bestRoute<Route extends Pick<NetworkRoute<Addressed>, 'network' | 'mask' | 'prefixLength'>>(
  routes: readonly Route[],
  destination: number,
): Route | undefined {
  let best: Route | undefined;
  for (const route of routes) {
    if ((destination & route.mask) >>> 0 !== route.network) continue;
    if (best === undefined || route.prefixLength > best.prefixLength) best = route;
  }
  return best;
}
