import type { Os, Program } from '@quorate/kernel';
import {
  bestRoute,
  formatIpv4,
  type InterfaceAddress,
  type NetworkRoute,
  parseInterfaceAddress,
  parseIpv4,
  routesOf,
} from '@quorate/network';

interface Device {
  readonly name: string;
  readonly isUp: boolean;
  readonly addresses: readonly InterfaceAddress[];
}

type Route = NetworkRoute<Device>;

/** The routes that the stack has, but for those to an address alone, which nobody shows. */
function shownRoutes(os: Os, gateway: string | undefined): readonly Route[] {
  const devices = os.interfaces().map(({ name, isUp, addresses }) => ({
    name,
    isUp,
    addresses: addresses.map((text) => parseInterfaceAddress(text)!),
  }));
  const routes = routesOf(devices, gateway === undefined ? undefined : parseIpv4(gateway));
  return routes.filter(({ prefixLength }) => prefixLength < 32);
}

/** `ip route [show]` and `ip route get ADDRESS`. */
export function ipRoute(os: Os, gateway: string | undefined, words: readonly string[]): number {
  const [verb = 'show', operand = ''] = words;
  const routes = shownRoutes(os, gateway);
  if (verb === 'show' || verb === 'list' || verb === 'ls') {
    for (const route of routes) os.print(`${routeLine(route)} \n`);
    return 0;
  }
  if (verb !== 'get') {
    os.printError('RTNETLINK answers: Operation not supported\n');
    return 2;
  }
  const address = parseIpv4(operand);
  if (address === undefined) {
    os.printError(`Error: an inet prefix is expected rather than "${operand}".\n`);
    return 1;
  }
  const isOwn = os.interfaces().some(({ addresses }) => addresses.some((each) => each.startsWith(`${operand}/`)));
  const route = isOwn ? undefined : bestRoute(routes, address);
  if (isOwn)
    os.print(`local ${operand} dev lo  src ${operand} \n    cache <local>  mtu 16436 advmss 16396 hoplimit 64\n`);
  else if (route === undefined) os.printError('RTNETLINK answers: Network is unreachable\n');
  else {
    const via = route.gateway === undefined ? '' : ` via ${formatIpv4(route.gateway)}`;
    os.print(
      `${operand}${via} dev ${route.via.name}  src ${formatIpv4(route.source)} \n    cache  mtu 1500 advmss 1460 hoplimit 64\n`,
    );
  }
  return isOwn || route !== undefined ? 0 : 2;
}

function routeLine({ network, prefixLength, gateway, via, source }: Route): string {
  if (gateway !== undefined) return `default via ${formatIpv4(gateway)} dev ${via.name}`;
  return `${formatIpv4(network)}/${prefixLength} dev ${via.name}  proto kernel  scope link  src ${formatIpv4(source)}`;
}

/** `route [-n]`: addresses have no names here. */
export function route(gateway: string | undefined): Program {
  return function* (argv, os) {
    if (argv.slice(1).some((word) => word !== '-n')) {
      os.printError(`route: ${argv[1]}: routes follow from the addresses of the interfaces, and cannot be changed\n`);
      return 1;
    }
    os.print(
      'Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n',
    );
    for (const each of shownRoutes(os, gateway)) {
      const columns = [each.network, each.gateway ?? 0, each.mask].map((address) => formatIpv4(address).padEnd(15));
      const flags = each.gateway === undefined ? 'U' : 'UG';
      os.print(`${columns.join(' ')} ${flags.padEnd(5)} 0      0        0 ${each.via.name}\n`);
    }
    return 0;
  };
}
