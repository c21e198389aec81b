import { type Errno, type InterfaceInfo, type Os, type Program, SECOND } from '@quorate/kernel';
import { formatIpv4, parseInterfaceAddress } from '@quorate/network';
import { parseOptions } from './options.js';
import { ipRoute } from './routes.js';

/**
 * `arping [-q] [-U|-A] [-c count] [-I interface] address`: tells everybody on the link who has the address,
 * once a second, `count` times.
 */
export const arping: Program = function* (argv, os) {
  const options = parseOptions(argv.slice(1), { flags: 'qUAbf', values: 'cIws' });
  const address = options.operands[0];
  const name = options.values.get('I') ?? 'eth0';
  if (options.error !== undefined || address === undefined) {
    os.printError(`arping: ${options.error ?? 'target address required'}\n`);
    return 2;
  }
  const count = options.number('c', 1);
  for (let i = 0; i < count; i++) {
    if (i > 0) yield* os.sleep(SECOND);
    const refused = os.announce(name, address);
    if (refused !== undefined) {
      os.printError(refused === 'ENODEV' ? `arping: unknown iface ${name}\n` : `arping: unknown host ${address}\n`);
      return 2;
    }
  }
  if (!options.flags.has('q'))
    os.print(
      `ARPING ${address} from ${address} ${name}\nSent ${count} probes (${count} broadcast(s))\nReceived 0 response(s)\n`,
    );
  return 0;
};

/** `ifconfig [interface [up|down]]`. */
export const ifconfig: Program = function* (argv, os) {
  const [, name, action] = argv;
  if (action === undefined) {
    const shown = os.interfaces().filter((each) => (name === undefined ? each.isUp : each.name === name));
    const isLoopback = name === undefined || name === 'lo';
    if (shown.length === 0 && !isLoopback) {
      os.printError(`${name}: error fetching interface information: Device not found\n`);
      return 1;
    }
    for (const each of shown) os.print(interfaceText(each));
    if (isLoopback) os.print(LOOPBACK_TEXT);
    return 0;
  }
  if (action !== 'up' && action !== 'down') {
    os.printError(`ifconfig: "${action}" is not understood, expected up or down\n`);
    return 1;
  }
  if (os.setInterface(name!, action === 'up') !== undefined) {
    os.printError(`${name}: ERROR while getting interface flags: No such device\n`);
    return 255;
  }
  return 0;
};

const LOOPBACK_TEXT = `lo        Link encap:Local Loopback  
          inet addr:127.0.0.1  Mask:255.0.0.0
          UP LOOPBACK RUNNING  MTU:65536  Metric:1

`;

/** What net-tools shows of an interface but for the counters. Its secondary addresses are for `ip`. */
function interfaceText({ name, mac, addresses, isUp, hasCarrier }: InterfaceInfo): string {
  const lines = [`${name.padEnd(10)}Link encap:Ethernet  HWaddr ${mac.toUpperCase()}  `];
  const address = addresses[0] === undefined ? undefined : parseInterfaceAddress(addresses[0]);
  if (address !== undefined) {
    const [own, all, mask] = [address.address, address.broadcast, address.mask].map(formatIpv4);
    lines.push(`          inet addr:${own}  Bcast:${all}  Mask:${mask}`);
  }
  const flags = [...(isUp ? ['UP'] : []), 'BROADCAST', ...(isUp && hasCarrier ? ['RUNNING'] : []), 'MULTICAST'];
  lines.push(`          ${flags.join(' ')}  MTU:1500  Metric:1`);
  return `${lines.join('\n')}\n\n`;
}

/** `ip addr [show|list] [dev IF] | ip addr add|del A/P dev IF | ip link set IF up|down | ip link show | ip route [show|get A]`. */
export function ip(gateway: string | undefined): Program {
  return function* (argv, os) {
    const words = argv.slice(1).filter((word) => !word.startsWith('-') && word !== 'inet' && word !== 'to');
    const [object = '', verb = 'show', ...rest] = words;
    if ('address'.startsWith(object) && object.length > 0) return ipAddress(verb, rest, os);
    if ('link'.startsWith(object) && object.length > 0) return ipLink(verb, rest, os);
    if ('route'.startsWith(object) && object.length > 0) return ipRoute(os, gateway, [verb, ...rest]);
    os.printError(`Object "${object}" is unknown, try "ip help".\n`);
    return 1;
  };
}

function ipAddress(verb: string, rest: readonly string[], os: Os): number {
  const at = rest.indexOf('dev');
  const device = at >= 0 ? rest[at + 1] : undefined;
  if (verb === 'add' || verb === 'del') {
    const address = rest.find((word) => /^\d+\./.test(word));
    if (address === undefined || device === undefined) {
      os.printError('Not enough information: "dev" argument is required.\n');
      return 255;
    }
    const refused = verb === 'add' ? os.addAddress(device, address) : os.deleteAddress(device, address);
    if (refused === undefined) return 0;
    return complainAboutAddress(os, refused, device, address);
  }
  return show(os, device ?? operandOf(verb, rest), `${LOOPBACK_LINK}    inet 127.0.0.1/8 scope host lo\n`, (each) => {
    each.addresses.forEach((address, position) => {
      const parsed = position === 0 ? parseInterfaceAddress(address) : undefined;
      const broadcast = parsed === undefined ? '' : `brd ${formatIpv4(parsed.broadcast)} `;
      os.print(`    inet ${address} ${broadcast}scope global ${position > 0 ? 'secondary ' : ''}${each.name}\n`);
    });
  });
}

/** Prints what iproute2 says of a refused address and gives its exit status. */
function complainAboutAddress(os: Os, refused: Errno, device: string, address: string): number {
  if (refused === 'ENODEV') {
    os.printError(`Cannot find device "${device}"\n`);
    return 1;
  }
  if (refused === 'EINVAL') {
    os.printError(`Error: an inet prefix is expected rather than "${address}".\n`);
    return 1;
  }
  os.printError(`RTNETLINK answers: ${refused === 'EEXIST' ? 'File exists' : 'Cannot assign requested address'}\n`);
  return 2;
}

/** `show eth0`, `list eth0` and `eth0` mean the same. */
function operandOf(verb: string, rest: readonly string[]): string | undefined {
  return verb === 'show' || verb === 'list' ? rest[0] : verb;
}

const LOOPBACK_LINK = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN 
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
`;

/** Prints one interface, or all of them, and what more there is to say of each. */
function show(os: Os, name: string | undefined, loopback: string, printMore: (each: InterfaceInfo) => void): number {
  const all = os.interfaces();
  const isLoopback = name === undefined || name === 'lo';
  if (!isLoopback && !all.some((each) => each.name === name)) {
    os.printError(`Device "${name}" does not exist.\n`);
    return 1;
  }
  if (isLoopback) os.print(loopback);
  all.forEach((each, index) => {
    if (name !== undefined && each.name !== name) return;
    os.print(`${linkLine(each, index)}    link/ether ${each.mac} brd ff:ff:ff:ff:ff:ff\n`);
    printMore(each);
  });
  return 0;
}

function ipLink(verb: string, rest: readonly string[], os: Os): number {
  if (verb === 'set') {
    const words = rest.filter((word) => word !== 'dev');
    const isUp = words.includes('up');
    const name = words.find((word) => word !== 'up' && word !== 'down') ?? '';
    if (os.setInterface(name, isUp) === undefined) return 0;
    os.printError(`Cannot find device "${name}"\n`);
    return 1;
  }
  const operands = rest.filter((word) => word !== 'dev');
  return show(os, operandOf(verb, operands), LOOPBACK_LINK, () => {});
}

function linkLine(each: InterfaceInfo, index: number): string {
  const flags = ['BROADCAST', 'MULTICAST'];
  if (each.isUp) flags.push('UP');
  if (each.isUp && each.hasCarrier) flags.push('LOWER_UP');
  else if (each.isUp) flags.unshift('NO-CARRIER');
  const state = each.isUp && each.hasCarrier ? 'UP' : 'DOWN';
  return `${index + 2}: ${each.name}: <${flags.join(',')}> mtu 1500 qdisc pfifo_fast state ${state} qlen 1000\n`;
}
