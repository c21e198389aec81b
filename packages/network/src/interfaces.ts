import { ConfigError, type Errno, type InterfaceInfo } from '@quorate/kernel';
import {
  formatInterfaceAddress,
  formatMac,
  type InterfaceAddress,
  isLoopback,
  isMulticast,
  LIMITED_BROADCAST,
  parseInterfaceAddress,
  parseIpv4,
  parseMac,
} from './address.js';
import { isGroupMac } from './ethernet.js';
import { bestRoute, type NetworkRoute, routesOf } from './routes.js';

export interface InterfaceConfig {
  /** `eth0`. */
  readonly name: string;
  /** `00:15:5d:4c:4a:01`. */
  readonly mac: string;
  /** With prefix length, the first one primary: `10.156.76.74/22`. */
  readonly addresses: readonly string[];
  /** Administratively up at first; true when absent. */
  readonly isUp?: boolean;
}

export interface NetInterface {
  /** Its place in the configuration, from 0: the number in `frame` and `carrier`. */
  readonly index: number;
  readonly name: string;
  readonly mac: number;
  readonly addresses: InterfaceAddress[];
  isUp: boolean;
  hasCarrier: boolean;
}

/** Where a packet leaves. */
export interface Route {
  readonly via: NetInterface;
  /** Whose MAC address it is sent to: the destination itself or the gateway. */
  readonly nextHop: number;
  /** The source address of whoever has not chosen one. */
  readonly source: number;
}

const MOST_CACHED_ROUTES = 1024;

/**
 * The interfaces of a host with their addresses, and the routes that follow from them.
 *
 * An address belongs to the host: it is answered for on every interface, and reached from inside even while its own
 * interface is down, as on Linux. Routes: each address's own network while its interface is up, then the gateway while
 * one of those reaches it. Differs from Linux: the gateway's route is back as soon as its interface is.
 */
export class Interfaces {
  readonly all: readonly NetInterface[];
  readonly #gateway: number | undefined;
  readonly #local = new Set<number>();
  readonly #broadcast = new Set<number>();
  /** Follows from the interfaces, and the ways that were asked for from it. */
  #table: readonly NetworkRoute<NetInterface>[] = [];
  readonly #routes = new Map<number, Route | 'ENETUNREACH'>();

  /** @throws {ConfigError} for a malformed or repeated name, MAC address, address or gateway. */
  constructor(configs: readonly InterfaceConfig[], gateway: string | undefined) {
    this.all = configs.map(readInterface);
    for (const [index, { name }] of this.all.entries()) {
      if (this.named(name) !== this.all[index]) {
        throw new ConfigError(`interfaces[${index}].name`, name, 'a name that no other interface has');
      }
    }
    this.#gateway = gateway === undefined ? undefined : parseIpv4(gateway);
    if (gateway !== undefined && this.#gateway === undefined) {
      throw new ConfigError('gateway', gateway, 'an IPv4 address');
    }
    this.#changed();
  }

  named(name: string): NetInterface | undefined {
    return this.all.find((each) => each.name === name);
  }

  /** @throws {RangeError} when there is no interface of that number. */
  at(index: number): NetInterface {
    const found = this.all[index];
    if (found === undefined) throw new RangeError(`no interface ${index}`);
    return found;
  }

  isLocal(address: number): boolean {
    return this.#local.has(address) || isLoopback(address);
  }

  isBroadcast(address: number): boolean {
    return address === LIMITED_BROADCAST || this.#broadcast.has(address);
  }

  /** The way to an address that is not our own: the longest prefix, then the gateway. */
  route(destination: number): Route | 'ENETUNREACH' {
    const known = this.#routes.get(destination);
    if (known !== undefined) return known;
    const route = this.#findRoute(destination);
    if (this.#routes.size >= MOST_CACHED_ROUTES) this.#routes.clear();
    this.#routes.set(destination, route);
    return route;
  }

  setUp(which: NetInterface, isUp: boolean): void {
    which.isUp = isUp;
    this.#changed();
  }

  /** `EINVAL` for a text that is no address, `EEXIST` when the interface has it already. */
  add(which: NetInterface, text: string): InterfaceAddress | Errno {
    const address = parseInterfaceAddress(text);
    if (address === undefined || isMulticast(address.address)) return 'EINVAL';
    if (which.addresses.some((each) => each.address === address.address)) return 'EEXIST';
    which.addresses.push(address);
    this.#changed();
    return address;
  }

  /** `EINVAL` for a text that is no address, `ENOENT` when the interface does not have it. */
  delete(which: NetInterface, text: string): InterfaceAddress | Errno {
    const address = parseInterfaceAddress(text);
    if (address === undefined) return 'EINVAL';
    const index = which.addresses.findIndex((each) => each.address === address.address);
    const [deleted] = index < 0 ? [] : which.addresses.splice(index, 1);
    this.#changed();
    return deleted ?? 'ENOENT';
  }

  list(): readonly InterfaceInfo[] {
    return this.all.map(({ name, mac, isUp, hasCarrier, addresses }) => ({
      name,
      mac: formatMac(mac),
      isUp,
      hasCarrier,
      addresses: addresses.map(formatInterfaceAddress),
    }));
  }

  #findRoute(destination: number): Route | 'ENETUNREACH' {
    const routes = this.#table;
    const isToMany = isMulticast(destination) || destination === LIMITED_BROADCAST;
    const way =
      bestRoute(routes, destination) ?? (isToMany ? routes.find(({ gateway }) => gateway === undefined) : undefined);
    if (way === undefined) return 'ENETUNREACH';
    const { via, source, gateway } = way;
    return { via, source, nextHop: isToMany ? destination : (gateway ?? destination) };
  }

  #changed(): void {
    this.#table = routesOf(this.all, this.#gateway);
    this.#routes.clear();
    this.#local.clear();
    this.#broadcast.clear();
    for (const { addresses } of this.all) {
      for (const { address, broadcast, prefixLength } of addresses) {
        this.#local.add(address);
        if (prefixLength < 31) this.#broadcast.add(broadcast);
      }
    }
  }
}

function readInterface(config: InterfaceConfig, index: number): NetInterface {
  const mac = parseMac(config.mac);
  if (mac === undefined || isGroupMac(mac)) {
    throw new ConfigError(`interfaces[${index}].mac`, config.mac, 'six hex bytes, not a group address');
  }
  const addresses = config.addresses.map((text, k) => {
    const address = parseInterfaceAddress(text);
    if (address === undefined) {
      throw new ConfigError(`interfaces[${index}].addresses[${k}]`, text, 'an address such as 10.156.76.74/22');
    }
    return address;
  });
  return { index, name: config.name, mac, addresses, isUp: config.isUp ?? true, hasCarrier: true };
}
