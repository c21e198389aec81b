import { isErrno, type Program, SECOND, type Task } from '@quorate/kernel';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

/** Nobody can say whether it runs; as an end of a migration: it runs here still. */
const INDETERMINATE = 150;

const DEFAULT_TIMEOUT_SEC = 60;
const POLL_SEC = 5;

/**
 * vm.sh: a virtual machine, under libvirt.
 *
 * Stop is `shutdown`, and `destroy` when the guest has not ended within the timeout of the action. A migration that failed while the
 * guest goes on here is exit code 150.
 *
 * Absent: xm, so `use_virsh="0"` is refused; saving and restoring (`snapshot`); paused guests.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/vm.sh.
 */
export const vm: Program = resourceAgent('vm', {
  start: checked(start),
  stop: checked((call) => stop(call, ['shutdown', 'destroy'])),
  status: checked(status),
  validate,
  others: {
    kill: checked((call) => stop(call, ['destroy'])),
    migrate: checked(migrate),
    reconfig: checked(succeed),
    reload: succeed,
    recover: succeed,
    restart: succeed,
  },
});

type Action = (call: AgentCall, argument?: string) => Task<number>;

function* succeed(): Task<number> {
  return AgentExit.SUCCESS;
}

/** An action on what is in order. */
function checked(act: Action): Action {
  return function* (call, argument) {
    return (yield* validate(call)) === AgentExit.SUCCESS ? yield* act(call, argument) : AgentExit.ARGUMENTS;
  };
}

function* validate(call: AgentCall): Task<number> {
  const { os } = call;
  const refuse = (text: string, exit: number): number => {
    call.log('err', text);
    return exit;
  };
  if (['', 'auto'].includes(call.parameter('hypervisor')) && (yield* hypervisorOf(call)) === undefined) {
    return refuse('Could not determine Hypervisor', AgentExit.ARGUMENTS);
  }
  if (call.parameter('use_virsh') === '0') return refuse("Cannot find 'xm'; is it installed?", AgentExit.INSTALLED);
  os.print('Management tool: virsh\n');
  if (call.parameter('name') !== '') return AgentExit.SUCCESS;
  os.print('No domain name specified\n');
  return AgentExit.ARGUMENTS;
}

function* hypervisorOf(call: AgentCall): Task<string | undefined> {
  const { output } = yield* call.os.run(['virsh', 'version']);
  return /^Running hypervisor: (\S+)/m.exec(output)?.[1]?.toLowerCase();
}

/** 0 while it runs, 7 when it is shut off, 1 when libvirt does not know it, 150 when there is no libvirtd. */
function* stateOf(call: AgentCall): Task<number> {
  const { os } = call;
  const hasDaemon = os.processes().some(({ argv: [name = ''] }) => name === 'libvirtd' || name.endsWith('/libvirtd'));
  if (!hasDaemon) {
    os.print('indeterminate\n');
    return INDETERMINATE;
  }
  const { output } = yield* os.run(['virsh', 'domstate', call.parameter('name')]);
  const state = output.trim();
  os.print(`${state}\n`);
  if (['running', 'paused', 'no state', 'idle'].includes(state)) return AgentExit.SUCCESS;
  return state === 'shut off' ? AgentExit.NOT_RUNNING : AgentExit.GENERIC;
}

function* start(call: AgentCall): Task<number> {
  const { os } = call;
  os.print(`Virtual machine ${call.parameter('name')} is `);
  if ((yield* stateOf(call)) !== AgentExit.SUCCESS) {
    const file = yield* definitionOf(call);
    const uri = uriOf(call);
    const argv =
      file === undefined
        ? ['virsh', ...(uri === '' ? [] : ['-c', uri]), 'start', call.parameter('name')]
        : ['virsh', 'create', file];
    call.log('debug', argv.join(' '));
    const { status: exit, errors } = yield* os.run(argv);
    os.printError(errors);
    if (exit !== 0) return exit;
  }
  return yield* waitForGuest(call);
}

function uriOf(call: AgentCall): string {
  const uri = call.parameter('hypervisor_uri');
  return uri === '' || uri === 'auto' ? 'qemu:///system' : uri;
}

/** `xmlfile`, or what is found in `path`; undefined where libvirt has its own. */
function* definitionOf(call: AgentCall): Task<string | undefined> {
  const name = call.parameter('name');
  const given = call.parameter('xmlfile');
  const path = call.parameter('path');
  const isSearched = given === '' && path !== '' && path !== '/etc/xen';
  const candidates = isSearched
    ? path.split(':').flatMap((directory) => [`${directory}/${name}`, `${directory}/${name}.xml`])
    : [given];
  for (const file of candidates) if (file !== '' && !isErrno(yield* call.os.readFile(file))) return file;
  if (isSearched) call.log('warning', `Could not find ${name} or ${name}.xml in search path ${path}`);
  return undefined;
}

/** Until `status_program` says that the guest is there. */
function* waitForGuest(call: AgentCall): Task<number> {
  const { os } = call;
  const program = call.parameter('status_program');
  if (program === '') return AgentExit.SUCCESS;
  const until = os.now() + timeoutSecOf(call) * SECOND;
  while (os.now() < until) {
    const startedAt = os.now();
    if ((yield* os.run(['sh', '-c', program])).status === 0) return AgentExit.SUCCESS;
    yield* os.sleep(Math.max(0, POLL_SEC * SECOND - (os.now() - startedAt)));
  }
  call.log('err', `Start of ${call.instance} has failed`);
  call.log('err', `Timeout exceeded while waiting for "${program}"`);
  return AgentExit.GENERIC;
}

/** The timeout of the action, which rgmanager tells; 60 s without. */
function timeoutSecOf(call: AgentCall): number {
  const seconds = Number(call.parameter('RGMANAGER_meta_timeout'));
  return seconds > 0 ? seconds : DEFAULT_TIMEOUT_SEC;
}

function* stop(call: AgentCall, operations: readonly string[]): Task<number> {
  const name = call.parameter('name');
  const state = yield* stateOf(call);
  if (state === INDETERMINATE) {
    call.log('crit', `xend/libvirtd is dead; cannot stop ${name}`);
    return AgentExit.GENERIC;
  }
  if (state !== AgentExit.SUCCESS) return AgentExit.SUCCESS;
  for (const operation of operations) {
    call.os.print(`virsh ${operation} ${name} ...\n`);
    yield* call.os.run(['virsh', operation, name]);
    for (let left = timeoutSecOf(call); left > 0; left -= POLL_SEC) {
      yield* call.sleepSec(POLL_SEC);
      if ((yield* stateOf(call)) !== AgentExit.SUCCESS) return AgentExit.SUCCESS;
    }
  }
  return AgentExit.GENERIC;
}

function* status(call: AgentCall): Task<number> {
  const { os } = call;
  os.print(`Virtual machine ${call.parameter('name')} is `);
  const state = yield* stateOf(call);
  const program = call.parameter('status_program');
  if (state !== AgentExit.SUCCESS || program === '' || call.checkLevel < 10) return state;
  return (yield* os.run(['sh', '-c', program])).status;
}

/** Sends the guest to another node. */
function* migrate(call: AgentCall, node = ''): Task<number> {
  const name = call.parameter('name');
  const target = mappedTarget(call.parameter('migration_mapping'), node);
  const tunnelled = /^(yes|true|1|on)$/i.test(call.parameter('tunnelled'));
  const uri = call.parameter('migration_uri');
  const argv = [
    'virsh',
    'migrate',
    ...(tunnelled ? ['--tunnelled', '--p2p'] : []),
    ...(call.parameter('migrate') === 'live' ? ['--live'] : []),
    name,
    (uri === '' || uri === 'auto' ? 'qemu+ssh://%s/system' : uri).replace('%s', target),
    ...(tunnelled ? [] : [`tcp:${target}`]),
  ];
  call.log('debug', argv.join(' '));
  const { status: exit, output, errors } = yield* call.os.run(argv);
  if (exit === 0) return AgentExit.SUCCESS;
  const [why = ''] = (errors + output).split('\n', 1);
  call.log('err', `Migrate ${name} to ${target} failed:`);
  call.log('err', why);
  if (why.includes('does not exist') || why.includes('Domain not found')) return AgentExit.CONFIGURED;
  return (yield* stateOf(call)) === AgentExit.SUCCESS ? INDETERMINATE : AgentExit.GENERIC;
}

/** Name of a node for migration: `node:name,node:name`. */
function mappedTarget(mapping: string, node: string): string {
  const pair = mapping.split(',').find((each) => each.startsWith(`${node}:`));
  return pair === undefined ? node : pair.slice(node.length + 1);
}
