import { isErrno, type Os, type Program, type Task } from '@quorate/kernel';
import { parentOf } from '../os/files.js';

/** Links of the services of runlevel 3: `S21cman` for one that is started at boot, `K79cman` for one that is not. */
const RUNLEVEL_DIRECTORY = '/etc/rc.d/rc3.d';

interface Service {
  /** Order of its start and of its stop, as its script says. */
  readonly start: number;
  readonly stop: number;
  /** Without a link. */
  readonly isOn: boolean;
}

/** Services of RHEL 6 that the walk-through turns on or off. */
const SERVICES = new Map<string, Service>([
  ['clvmd', { start: 24, stop: 76, isOn: true }],
  ['cman', { start: 21, stop: 79, isOn: true }],
  ['gfs2', { start: 26, stop: 74, isOn: true }],
  ['httpd', { start: 85, stop: 15, isOn: false }],
  ['ip6tables', { start: 8, stop: 92, isOn: false }],
  ['iptables', { start: 8, stop: 92, isOn: false }],
  ['iscsi', { start: 13, stop: 89, isOn: true }],
  ['luci', { start: 99, stop: 1, isOn: false }],
  ['modclusterd', { start: 24, stop: 76, isOn: false }],
  ['NetworkManager', { start: 23, stop: 84, isOn: false }],
  ['rgmanager', { start: 99, stop: 1, isOn: true }],
  ['ricci', { start: 99, stop: 1, isOn: false }],
  ['sshd', { start: 55, stop: 25, isOn: true }],
  ['watchdog', { start: 27, stop: 46, isOn: true }],
]);

/** Whether a service is not started at boot. */
export function* isTurnedOff(os: Os, service: string): Task<boolean> {
  const links = yield* os.list(RUNLEVEL_DIRECTORY);
  const link = isErrno(links) ? undefined : links.find((name) => isLinkOf(name, service));
  return link === undefined ? SERVICES.get(service)?.isOn !== true : link.startsWith('K');
}

function isLinkOf(link: string, service: string): boolean {
  return /^[SK]\d\d/.test(link) && link.slice(3) === service;
}

/** `chkconfig [--level N] NAME on|off`, `chkconfig NAME`, `chkconfig --list [NAME]`. */
export const chkconfig: Program = function* (argv, os) {
  const words = argv.slice(1);
  if (words[0] === '--level' || words[0] === '--levels') words.splice(0, 2);
  const [first, second] = words;
  if (first === '--list' || first === undefined) {
    const names = second === undefined ? [...SERVICES.keys()] : [second];
    for (const name of names) {
      if (!isKnown(os, name)) return 1;
      const state = (yield* isTurnedOff(os, name)) ? 'off' : 'on';
      const levels = [0, 1, 2, 3, 4, 5, 6].map((level) => `${level}:${level > 1 && level < 6 ? state : 'off'}`);
      os.print(`${name.padEnd(15)}\t${levels.join('\t')}\n`);
    }
    return 0;
  }
  if (!isKnown(os, first)) return 1;
  if (second === undefined) return (yield* isTurnedOff(os, first)) ? 1 : 0;
  if (second !== 'on' && second !== 'off') {
    os.printError('usage:   chkconfig [--list] [name]\n         chkconfig [--level <levels>] <name> <on|off>\n');
    return 1;
  }
  const links = yield* os.list(RUNLEVEL_DIRECTORY);
  const stale = isErrno(links) ? [] : links.filter((link) => isLinkOf(link, first));
  for (const link of stale) yield* os.remove(`${RUNLEVEL_DIRECTORY}/${link}`);
  const { start, stop } = SERVICES.get(first)!;
  const order = String(second === 'on' ? start : stop).padStart(2, '0');
  for (const directory of [parentOf(RUNLEVEL_DIRECTORY), RUNLEVEL_DIRECTORY]) yield* os.makeDirectory(directory);
  yield* os.writeFile(`${RUNLEVEL_DIRECTORY}/${second === 'on' ? 'S' : 'K'}${order}${first}`, new Uint8Array(0));
  return 0;
};

function isKnown(os: Os, name: string): boolean {
  if (SERVICES.has(name)) return true;
  os.printError(`error reading information on service ${name}: No such file or directory\n`);
  return false;
}
