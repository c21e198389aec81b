import { type Errno, type InterfaceInfo, isErrno, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { fstabEntries } from './fstab.js';
import { resolveHost } from './hosts.js';
import { parseOptions } from './options.js';

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
    if (name !== undefined && shown.length === 0) {
      os.printError(`${name}: error fetching interface information: Device not found\n`);
      return 1;
    }
    for (const each of shown) {
      const [address, ...others] = each.addresses;
      os.print(`${each.name.padEnd(10)}Link encap:Ethernet  HWaddr ${each.mac.toUpperCase()}\n`);
      if (address !== undefined) os.print(`          inet addr:${address.split('/')[0]}\n`);
      for (const other of others) os.print(`          inet addr:${other.split('/')[0]} (secondary)\n`);
      os.print(
        `          ${each.isUp ? 'UP ' : ''}BROADCAST ${each.hasCarrier && each.isUp ? 'RUNNING ' : ''}MULTICAST  MTU:1500  Metric:1\n\n`,
      );
    }
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

/** `ip addr [show|list] [dev IF] | ip addr add|del A/P dev IF | ip link set IF up|down | ip link show`. */
export const ip: Program = function* (argv, os) {
  const words = argv.slice(1).filter((word) => !word.startsWith('-') && word !== 'inet' && word !== 'to');
  const [object = '', verb = 'show', ...rest] = words;
  if ('address'.startsWith(object) && object.length > 0) return ipAddress(verb, rest, os);
  if ('link'.startsWith(object) && object.length > 0) return ipLink(verb, rest, os);
  os.printError(`Object "${object}" is unknown, try "ip help".\n`);
  return 1;
};

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
  return show(os, device ?? operandOf(verb, rest), (each) => {
    each.addresses.forEach((address, position) => {
      os.print(`    inet ${address} scope global ${position > 0 ? 'secondary ' : ''}${each.name}\n`);
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

/** Prints one interface, or all of them, and what more there is to say of each. */
function show(os: Os, name: string | undefined, printMore: (each: InterfaceInfo) => void): number {
  const all = os.interfaces();
  if (name !== undefined && !all.some((each) => each.name === name)) {
    os.printError(`Device "${name}" does not exist.\n`);
    return 1;
  }
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
  return show(os, operandOf(verb, operands), () => {});
}

function linkLine(each: InterfaceInfo, index: number): string {
  const flags = ['BROADCAST', 'MULTICAST'];
  if (each.isUp) flags.push('UP');
  if (each.isUp && each.hasCarrier) flags.push('LOWER_UP');
  else if (each.isUp) flags.unshift('NO-CARRIER');
  const state = each.isUp && each.hasCarrier ? 'UP' : 'DOWN';
  return `${index + 2}: ${each.name}: <${flags.join(',')}> mtu 1500 qdisc pfifo_fast state ${state} qlen 1000\n`;
}

/**
 * `mount [-t type] [-o options] device directory`; with one of the two what /etc/fstab says of it; without operands the list of
 * mounts.
 */
export const mount: Program = function* (argv, os) {
  const { operands, values } = parseOptions(argv.slice(1), { flags: 'avn', values: 'to' });
  const [first, second] = operands;
  if (first === undefined) {
    for (const each of os.mounts())
      os.print(`${each.device} on ${each.directory} type ${each.type} (${each.options})\n`);
    return 0;
  }
  const known = (yield* fstabEntries(os)).find(({ device, directory }) => device === first || directory === first);
  const wanted = second === undefined ? known : { device: first, directory: second, type: 'auto', options: 'defaults' };
  if (wanted === undefined) {
    os.printError(`mount: can't find ${first} in /etc/fstab or /etc/mtab\n`);
    return 1;
  }
  const { device, directory, type, options } = wanted;
  const found = yield* os.stat(directory);
  if (isErrno(found)) {
    os.printError(`mount: mount point ${directory} does not exist\n`);
    return 32;
  }
  const fileSystem = values.get('t') ?? (/^[^/:]+:\//.test(device) ? 'nfs' : type);
  const all = yield* withAddress(os, device, fileSystem, values.get('o') ?? options);
  if (all === undefined) {
    os.printError(
      `mount.${fileSystem}: Failed to resolve server ${device.split(':', 1)[0]}: Name or service not known\n`,
    );
    return 32;
  }
  const refused = yield* os.mount(device, directory, fileSystem, all);
  if (refused === undefined) return 0;
  const complaints = isNfs(fileSystem) ? NFS_MOUNT_ERRORS : MOUNT_ERRORS;
  os.printError(`mount: ${device} on ${directory}: ${complaints.get(refused) ?? refused}\n`);
  return 32;
};

/** Options as the kernel wants them: for NFS with the server's address. Undefined when the server's name has none. */
function* withAddress(os: Os, device: string, type: string, options: string): Task<string | undefined> {
  if (!isNfs(type)) return options;
  const address = yield* resolveHost(os, device.split(':', 1)[0]!);
  return address === undefined ? undefined : `${options},addr=${address}`;
}

function isNfs(type: string): boolean {
  return type === 'nfs' || type === 'nfs4';
}

const MOUNT_ERRORS = new Map<string, string>([
  ['EBUSY', 'already mounted or mount point busy'],
  ['ENOENT', 'special device does not exist'],
  ['ENODEV', 'unknown filesystem type'],
  ['EINVAL', 'wrong fs type, bad option, bad superblock'],
  ['EUSERS', 'there are no journals left for this node'],
  ['ECONNREFUSED', 'gfs_controld is not running'],
]);

const NFS_MOUNT_ERRORS = new Map<string, string>([
  ['EBUSY', 'already mounted or mount point busy'],
  ['EINVAL', 'incorrect mount option'],
  ['ECONNREFUSED', 'connection refused'],
  ['EACCES', 'access denied by server'],
  ['EIO', 'the server does not answer'],
]);

/** `umount directory`. */
export const umount: Program = function* (argv, os) {
  const options = parseOptions(argv.slice(1), { flags: 'afl', values: 't' });
  const which = options.operands[0];
  const mounted = os.mounts().find((each) => each.directory === which || each.device === which);
  if (mounted === undefined) {
    os.printError(`umount: ${which ?? ''}: not mounted\n`);
    return 1;
  }
  const refused = yield* os.unmount(mounted.directory);
  if (refused === undefined) return 0;
  os.printError(`umount: ${mounted.directory}: ${refused === 'EBUSY' ? 'device is busy' : refused}\n`);
  return 1;
};
