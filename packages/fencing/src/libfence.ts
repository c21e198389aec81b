import { agentInput } from './agent-input.js';
import type { DeviceUse, FenceConf, FenceNode } from './fence-conf.js';

/** How one step of a fencing operation went. */
type FenceError =
  | 'agent-success'
  | 'agent-error'
  | 'no-method'
  | 'no-device'
  | 'read-agent'
  | 'read-args'
  | 'number-of-method'
  | 'status-on'
  | 'status-off'
  | 'status-error';

/** One entry of an operation's log. */
export interface FenceLog {
  readonly error: FenceError;
  /** Position of the method and of its device, from 0. */
  readonly method: number;
  readonly device: number;
  /** Empty when none was found. */
  readonly agent: string;
  /** What it was given on standard input. */
  readonly input: string;
}

const TEXTS: Readonly<Record<FenceError, string>> = {
  'agent-success': 'success',
  'agent-error': 'error from agent',
  'no-method': 'error no method',
  'no-device': 'error no device',
  'read-agent': 'error config agent',
  'read-args': 'error config args',
  'number-of-method': 'error method number',
  'status-on': 'status on',
  'status-off': 'status off',
  'status-error': 'status error',
};

/** fenced and fence_node keep so many entries of one operation (`FL_SIZE`); they say how many there were, if more. */
export const LOG_ENTRIES_MAX = 32;

/** An entry as fenced and fence_node print it, after the words `fence NAME`. */
export function logEntryText({ error, method, device, agent }: FenceLog): string {
  return `dev ${method}.${device} agent ${agent === '' ? 'none' : agent} result: ${TEXTS[error]}`;
}

/** An agent that has to be run; the operation goes on with its exit status. */
export interface AgentRun {
  readonly agent: string;
  readonly input: string;
}

/** Result of an operation: `undefined` when the configuration has nothing to do it with. */
export interface FenceOutcome {
  readonly result: 'success' | 'failed' | 'undefined';
  readonly log: readonly FenceLog[];
}

/** An operation: yields the agents to run, one at a time. */
export type FenceOperation<Result = FenceOutcome> = Generator<AgentRun, Result, number>;

/**
 * Fences a node: its methods in order until one succeeds, in each method all devices in order.
 *
 * Source: cluster.git fence/libfence/agent.c, `fence_node`.
 */
export function* fenceNode(conf: FenceConf, victim: string): FenceOperation {
  const log: FenceLog[] = [];
  const node = lookupNode(conf, victim);
  const methods = node?.fenceMethods ?? [];
  if (methods.length === 0) return { result: 'undefined', log: [entry('no-method', 0, 0)] };
  for (const [method, { devices }] of methods.entries()) {
    if (devices.length === 0) log.push(entry('no-device', method, 0));
    let isSuccess = devices.length > 0;
    for (let device = 0; device < devices.length && isSuccess; device++) {
      const done = yield* useDevice(conf, node!.name, method, device, devices[device]!);
      log.push(done);
      isSuccess = done.error === 'agent-success';
    }
    if (isSuccess) return { result: 'success', log };
  }
  return { result: 'failed', log };
}

/**
 * Unfences a node: all its unfence devices, also when one of them fails.
 *
 * Source: cluster.git fence/libfence/agent.c, `unfence_node`.
 */
export function* unfenceNode(conf: FenceConf, victim: string): FenceOperation {
  const node = lookupNode(conf, victim);
  const devices = node?.unfenceDevices ?? [];
  if (devices.length === 0) return { result: 'undefined', log: [entry('no-device', 0, 0)] };
  const log: FenceLog[] = [];
  for (const [device, use] of devices.entries()) log.push(yield* useDevice(conf, node!.name, 0, device, use));
  return { result: log.every(({ error }) => error === 'agent-success') ? 'success' : 'failed', log };
}

export interface FenceStatus extends FenceOutcome {
  /** Whether any device says that the node is on; only meaningful after success. */
  readonly isOn: boolean;
}

/**
 * Asks every device of every method, or of one (`method`, from 1; 0 for all): success needs an answer from all of them, and
 * from one at least.
 *
 * Source: cluster.git fence/libfence/agent.c, `fence_node_status`.
 */
export function* fenceNodeStatus(conf: FenceConf, victim: string, method = 0): FenceOperation<FenceStatus> {
  const node = lookupNode(conf, victim);
  const methods = node?.fenceMethods ?? [];
  const undefinedBecause = (error: FenceError): FenceStatus => ({
    result: 'undefined',
    log: [entry(error, 0, 0)],
    isOn: false,
  });
  if (methods.length === 0) return undefinedBecause('no-method');
  if (method > methods.length) return undefinedBecause('number-of-method');
  const log: FenceLog[] = [];
  for (const [m, { devices }] of methods.entries()) {
    if (method !== 0 && m + 1 !== method) continue;
    if (devices.length === 0) log.push(entry('no-device', m, 0));
    for (const [d, use] of devices.entries()) {
      const done = yield* useDevice(conf, node!.name, m, d, use, 'status');
      log.push(done);
      if (done.error !== 'status-on' && done.error !== 'status-off') return { result: 'failed', log, isOn: false };
    }
  }
  const isAnswered = log.some(({ error }) => error !== 'no-device');
  return { result: isAnswered ? 'success' : 'failed', log, isOn: log.some(({ error }) => error === 'status-on') };
}

function* useDevice(
  conf: FenceConf,
  victim: string,
  method: number,
  device: number,
  use: DeviceUse,
  operation: 'fence' | 'status' = 'fence',
): FenceOperation<FenceLog> {
  const fenceDevice = conf.devices.find((candidate) => candidate.name === use.name);
  if (fenceDevice === undefined) return entry('read-agent', method, device);
  const { agent } = fenceDevice;
  const input = agentInput(victim, use, fenceDevice, operation);
  if (input === undefined) return entry('read-args', method, device, agent);
  const status = yield { agent, input };
  const error = operation === 'fence' ? fenceErrorOf(status) : statusErrorOf(status);
  return { error, method, device, agent, input };
}

function fenceErrorOf(status: number): FenceError {
  return status === 0 ? 'agent-success' : 'agent-error';
}

function statusErrorOf(status: number): FenceError {
  if (status === 0) return 'status-on';
  return status === 2 ? 'status-off' : 'status-error';
}

function entry(error: FenceError, method: number, device: number, agent = ''): FenceLog {
  return { error, method, device, agent, input: '' };
}

/**
 * The node that a name means: that very name; or its host part, the text before the first dot; or else a host part that is
 * the same but for upper and lower case.
 *
 * Source: cluster.git config/libs/libccsconfdb/extras.c, `ccs_lookup_nodename`; addresses are not looked up.
 */
function lookupNode(conf: FenceConf, name: string): FenceNode | undefined {
  const host = hostPart(name);
  return (
    conf.nodes.find((node) => node.name === name) ??
    conf.nodes.find((node) => node.name === host) ??
    conf.nodes.find((node) => hostPart(node.name).toLowerCase() === host.toLowerCase())
  );
}

function hostPart(name: string): string {
  return name.split('.', 1)[0]!;
}
