import type { Os, Program } from '@quorate/kernel';
import { formatIpv4, parseInterfaceAddress, parseIpv4 } from '@quorate/network';

/** Where a packet goes: to a network that an interface is in, or to the gateway. */
interface Route {
  readonly network: number;
  readonly mask: number;
  readonly prefixLength: number;
  readonly gateway: number | undefined;
  readonly device: string;
  /** The address of the interface. */
  readonly source: number;
}

/** The routes that the stack has: each network of an interface that is up, and the gateway where one of them reaches it. */
function routesOf(os: Os, gateway: string | undefined): readonly Route[] {
  const routes: Route[] = [];
  for (const { name, isUp, addresses } of os.interfaces()) {
    for (const text of isUp ? addresses : []) {
      const { address, mask, prefixLength } = parseInterfaceAddress(text)!;
      const network = (address & mask) >>> 0;
      const isKnown = routes.some((route) => route.network === network && route.prefixLength === prefixLength);
      if (prefixLength === 32 || isKnown) continue;
      routes.push({ network, mask, prefixLength, gateway: undefined, device: name, source: address });
    }
  }
  const hop = gateway === undefined ? undefined : parseIpv4(gateway);
  const way = hop === undefined ? undefined : best(routes, hop);
  if (way !== undefined) routes.push({ ...way, network: 0, mask: 0, prefixLength: 0, gateway: hop });
  return routes;
}

function best(routes: readonly Route[], address: number): Route | undefined {
  return [...routes]
    .filter(({ network, mask }) => (address & mask) >>> 0 === network)
    .sort((a, b) => b.prefixLength - a.prefixLength)[0];
}

/** `ip route [show]` and `ip route get ADDRESS`. */
export function ipRoute(os: Os, gateway: string | undefined, words: readonly string[]): number {
  const [verb = 'show', operand = ''] = words;
  const routes = routesOf(os, gateway);
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
  const route = isOwn ? undefined : best(routes, address);
  if (isOwn)
    os.print(`local ${operand} dev lo  src ${operand} \n    cache <local>  mtu 16436 advmss 16396 hoplimit 64\n`);
  else if (route === undefined) os.printError('RTNETLINK answers: Network is unreachable\n');
  else {
    const via = route.gateway === undefined ? '' : ` via ${formatIpv4(route.gateway)}`;
    os.print(
      `${operand}${via} dev ${route.device}  src ${formatIpv4(route.source)} \n    cache  mtu 1500 advmss 1460 hoplimit 64\n`,
    );
  }
  return isOwn || route !== undefined ? 0 : 2;
}

function routeLine({ network, prefixLength, gateway, device, source }: Route): string {
  if (gateway !== undefined) return `default via ${formatIpv4(gateway)} dev ${device}`;
  return `${formatIpv4(network)}/${prefixLength} dev ${device}  proto kernel  scope link  src ${formatIpv4(source)}`;
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
    for (const each of routesOf(os, gateway)) {
      const columns = [each.network, each.gateway ?? 0, each.mask].map((address) => formatIpv4(address).padEnd(15));
      const flags = each.gateway === undefined ? 'U' : 'UG';
      os.print(`${columns.join(' ')} ${flags.padEnd(5)} 0      0        0 ${each.device}\n`);
    }
    return 0;
  };
}
