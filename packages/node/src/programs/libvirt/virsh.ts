import { type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { resolveHost } from '../hosts.js';
import { isDefined, nameIn, pidOfDomain, runningDomains, startDomain } from './domains.js';
import { askLibvirtd, connectLibvirtd } from './libvirtd.js';

const [SIGKILL, SIGTERM] = [9, 15];

/** Time to copy the memory of a guest to another machine. */
const MIGRATION_TIME = 5 * SECOND;

/**
 * `virsh [-c URI] version|list|domstate NAME|start NAME|create FILE|shutdown NAME|destroy NAME|migrate [--live] NAME URI`.
 *
 * Simplified: a guest is a process without memory or disks; migration goes from libvirtd to libvirtd, whatever its URI says but the host.
 */
export const virsh: Program = function* (argv, os) {
  const words = argv.slice(argv[1] === '-c' ? 3 : 1).filter((word) => !word.startsWith('--'));
  const [verb = '', name = '', uri = ''] = words;
  const complaint = os.processes().some(({ argv: [program = ''] }) => /(^|\/)libvirtd$/.test(program))
    ? yield* act(os, verb, name, uri)
    : 'failed to connect to the hypervisor';
  if (complaint === undefined) return 0;
  os.printError(`error: ${complaint}\n`);
  return 1;
};

/** Undefined, or why not. */
function* act(os: Os, verb: string, name: string, uri: string): Task<string | undefined> {
  const pid = pidOfDomain(os, name);
  switch (verb) {
    case 'version':
      os.print('Using API: QEMU 0.10.2\nRunning hypervisor: QEMU 0.12.1\n');
      return undefined;
    case 'list':
      for (const each of runningDomains(os)) os.print(` - ${each} running\n`);
      return undefined;
    case 'create': {
      const found = yield* nameIn(os, name);
      if (found === undefined) return `Failed to create domain from ${name}`;
      return start(os, found);
    }
    case 'start':
      if (pid === undefined && !(yield* isDefined(os, name))) return missing(name);
      return start(os, name);
    case 'domstate':
      if (pid === undefined && !(yield* isDefined(os, name))) return missing(name);
      os.print(pid === undefined ? 'shut off\n' : 'running\n');
      return undefined;
    case 'shutdown':
    case 'destroy':
      if (pid === undefined) return missing(name);
      os.kill(pid, verb === 'destroy' ? SIGKILL : SIGTERM);
      os.print(`Domain ${name} ${verb === 'destroy' ? 'destroyed' : 'is being shutdown'}\n`);
      return undefined;
    case 'migrate':
      return pid === undefined ? missing(name) : yield* migrate(os, name, /\/\/([^/]+)/.exec(uri)?.[1] ?? '');
    default:
      return `unknown command: '${verb}'`;
  }
}

function missing(name: string): string {
  return `failed to get domain '${name}': Domain not found`;
}

function start(os: Os, name: string): string | undefined {
  if (pidOfDomain(os, name) !== undefined) return `Domain is already active: ${name}`;
  if (!startDomain(os, name)) return `Failed to start domain ${name}`;
  os.print(`Domain ${name} started\n`);
  return undefined;
}

/** The guest runs here until its memory is there, and nowhere while it is handed over. */
function* migrate(os: Os, name: string, host: string): Task<string | undefined> {
  const address = yield* resolveHost(os, host);
  if (address === undefined) return `unable to resolve '${host}'`;
  const peer = yield* connectLibvirtd(os, address);
  if (typeof peer === 'string') return `unable to connect to server at '${host}': ${peer}`;
  const refused = yield* askLibvirtd(os, peer, `prepare ${name}`);
  if (refused !== 'ok') return refused;
  yield* os.sleep(MIGRATION_TIME);
  const pid = pidOfDomain(os, name);
  if (pid === undefined) return 'operation failed: domain is no longer running';
  os.kill(pid, SIGKILL);
  const failed = yield* askLibvirtd(os, peer, `finish ${name}`);
  os.close(peer);
  if (failed === 'ok') return undefined;
  startDomain(os, name);
  return `operation failed: ${failed}`;
}
