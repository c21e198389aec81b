import { type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { type AgentMetadata, agentOptions, metadataText } from './agent-options.js';

/** What the agent asks of the power switch, which is outside of every machine: `os.call('power', request)`. */
export type PowerRequest =
  /** Cuts or gives the power of a machine; the reply says only that the command was taken. */
  | { readonly action: 'off' | 'on'; readonly host: string; readonly machine: string }
  /** The reply has `state`. */
  | { readonly action: 'status'; readonly host: string; readonly machine: string }
  /** The reply has `machines`. */
  | { readonly action: 'list'; readonly host: string };

/** Anything else, `Errno`s for instance, counts as a switch that cannot be reached. */
export interface PowerReply {
  readonly isOk: boolean;
  readonly state?: 'on' | 'off';
  readonly machines?: readonly string[];
}

const METADATA: AgentMetadata = {
  name: 'fence_power',
  shortDescription: 'fence agent for the power of virtual machines',
  longDescription: 'Turns a virtual machine off and on through the host that it runs on.',
  options: [
    { key: 'ipaddr', letter: 'a', type: 'string', description: 'Host of the virtual machine', isRequired: true },
    { key: 'port', letter: 'n', type: 'string', description: 'Name of the virtual machine', isRequired: true },
    { key: 'action', letter: 'o', type: 'string', description: 'Fencing action', default: 'reboot' },
    {
      key: 'delay',
      letter: 'f',
      type: 'integer',
      description: 'Seconds to wait before fencing is started',
      default: '0',
    },
    {
      key: 'power_timeout',
      letter: 't',
      type: 'integer',
      description: 'Seconds to wait for the state to change',
      default: '20',
    },
  ],
  actions: [['off'], ['on'], ['reboot'], ['status'], ['monitor'], ['list'], ['metadata']],
};

const CANNOT_CONNECT = 'Unable to connect/login to fencing device\n';
const NO_STATUS = 'Failed: Unable to obtain correct plug status or plug is not available\n';

interface Switch {
  readonly os: Os;
  readonly host: string;
  readonly machine: string;
  readonly timeoutSec: number;
}

/**
 * fence_power: the agent for machines that have a power switch. `off` succeeds only when the machine is reported off.
 *
 * Actions: off, on, reboot (succeeds when its off part did), status and monitor (0 on, 2 off, 1 unknown), list, metadata.
 * An own agent, with the keys, exit statuses and messages of fence-agents' common library.
 */
export const fencePower: Program = function* fencePower(argv, os) {
  const options = agentOptions(argv, os, METADATA.options);
  const action = options?.get('action') ?? 'reboot';
  if (action === 'metadata') {
    os.print(metadataText(METADATA));
    return 0;
  }
  const host = options?.get('ipaddr');
  const machine = options?.get('port');
  if (options === undefined || host === undefined) return fail(os, 'Failed: You have to enter fence address\n');
  if (action === 'list') return yield* list(os, host);
  if (machine === undefined) return fail(os, 'Failed: You have to enter plug number\n');
  const delay = Number.parseInt(options.get('delay') ?? '0', 10);
  if (delay > 0) yield* os.sleep(delay * SECOND);
  const timeoutSec = Number.parseInt(options.get('power_timeout') ?? '20', 10) || 20;
  const target: Switch = { os, host, machine, timeoutSec };
  switch (action) {
    case 'off':
      return yield* change(target, 'off');
    case 'on':
      return yield* change(target, 'on');
    case 'reboot':
      return yield* reboot(target);
    case 'status':
    case 'monitor':
      return yield* status(target);
    default:
      return fail(os, `Failed: Unrecognised action '${action}'\n`);
  }
};

function fail(os: Os, text: string): number {
  os.printError(text);
  return 1;
}

function* list(os: Os, host: string): Task<number> {
  const reply = yield* ask(os, { action: 'list', host });
  if (reply?.machines === undefined) return fail(os, CANNOT_CONNECT);
  for (const machine of reply.machines) os.print(`${machine},\n`);
  return 0;
}

function* status({ os, host, machine }: Switch): Task<number> {
  const reply = yield* ask(os, { action: 'status', host, machine });
  if (reply?.state === undefined) return fail(os, reply === undefined ? CANNOT_CONNECT : NO_STATUS);
  os.print(`Status: ${reply.state.toUpperCase()}\n`);
  return reply.state === 'on' ? 0 : 2;
}

function* change(target: Switch, state: 'on' | 'off'): Task<number> {
  const { os, host, machine } = target;
  const before = yield* ask(os, { action: 'status', host, machine });
  if (before?.state === undefined) return fail(os, before === undefined ? CANNOT_CONNECT : NO_STATUS);
  if (before.state === state) {
    os.print(`Success: Already ${state.toUpperCase()}\n`);
    return 0;
  }
  if (!(yield* turn(target, state))) return fail(os, `Failed: Timed out waiting to power ${state.toUpperCase()}\n`);
  os.print(`Success: Powered ${state.toUpperCase()}\n`);
  return 0;
}

/** The victim is harmless once it is off; that it comes up again is not what fencing waits for. */
function* reboot(target: Switch): Task<number> {
  const { os, host, machine } = target;
  const before = yield* ask(os, { action: 'status', host, machine });
  if (before?.state === undefined) return fail(os, before === undefined ? CANNOT_CONNECT : NO_STATUS);
  if (before.state === 'on' && !(yield* turn(target, 'off'))) {
    return fail(os, 'Failed: Timed out waiting to power OFF\n');
  }
  if (!(yield* turn(target, 'on'))) os.printError('Timed out waiting to power ON\n');
  os.print('Success: Rebooted\n');
  return 0;
}

/** Gives the command and waits until the switch reports that state. */
function* turn({ os, host, machine, timeoutSec }: Switch, state: 'on' | 'off'): Task<boolean> {
  const taken = yield* ask(os, { action: state, host, machine });
  if (taken?.isOk !== true) return false;
  for (let waited = 0; ; waited++) {
    const reply = yield* ask(os, { action: 'status', host, machine });
    if (reply?.state === state) return true;
    if (waited >= timeoutSec) return false;
    yield* os.sleep(SECOND);
  }
}

/** Undefined when the switch does not answer. */
function* ask(os: Os, request: PowerRequest): Task<PowerReply | undefined> {
  const reply = yield* os.call('power', request);
  return typeof reply === 'object' && reply !== null && 'isOk' in reply ? (reply as PowerReply) : undefined;
}
