import type { InterfaceInfo, Os, Program, Task } from '@quorate/kernel';
import { isInNetwork, parseIpv4 } from './ipv4.js';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

/** How long stop waits after the address is gone, unless `sleeptime` says otherwise. */
const DEFAULT_SLEEP_SEC = 10;

/**
 * What status gives for an address on an interface that is down, while links are not monitored: the code of the
 * original's last command.
 */
const INTERFACE_DOWN = 2;

/**
 * ip.sh: a floating address.
 *
 * Start puts it on the first interface that is up, has a link, and has an address in the same network, provided that
 * nobody answers to it; then it tells everybody on the link. That takes 2 s for the duplicate check and 1 s for ARP.
 *
 * Simplified: IPv4 only. Absent: kicking rdisc, so `disable_rdisc` has no effect; `nfslock`.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/ip.sh.
 */
export const ip: Program = resourceAgent('ip', { start, stop, status, validate });

function* start(call: AgentCall): Task<number> {
  const address = call.parameter('address');
  if (findConfigured(call.os, address) !== undefined) {
    call.log('debug', `${address} already configured`);
    return AgentExit.SUCCESS;
  }
  const place = findPlace(call, address);
  if (place === undefined) return AgentExit.GENERIC;
  const { name, mac } = place.interface;
  const plain = withoutPrefix(address);
  call.log('info', `Adding IPv4 address ${place.address} to ${name}`);
  call.log('debug', `Pinging addr ${plain} from dev ${name}`);
  if (yield* doesAnswer(call.os, plain, name)) {
    call.log('err', `IPv4 address collision ${plain}`);
    return AgentExit.GENERIC;
  }
  if (call.os.addAddress(name, place.address) !== undefined) return AgentExit.GENERIC;
  call.log('debug', `Sending gratuitous ARP: ${plain} ${mac} brd ff:ff:ff:ff:ff:ff`);
  yield* call.os.run(['arping', '-q', '-c', '2', '-U', '-I', name, plain]);
  return AgentExit.SUCCESS;
}

function* stop(call: AgentCall): Task<number> {
  const address = call.parameter('address');
  const found = findConfigured(call.os, address);
  if (found === undefined) {
    call.log('debug', `${address} is not configured`);
    return AgentExit.SUCCESS;
  }
  call.log('info', `Removing IPv4 address ${found.address} from ${found.interface.name}`);
  call.os.deleteAddress(found.interface.name, found.address);
  // The network may be busy with the very packet that led here; then it takes the change when it is done with that.
  yield* call.os.sleep(0);
  if (findConfigured(call.os, address) !== undefined) {
    call.log('err', `Failed to remove ${address}`);
    return AgentExit.GENERIC;
  }
  const sleepSec = sleepTimeOf(call);
  if (sleepSec > 0) yield* call.sleepSec(sleepSec);
  return AgentExit.SUCCESS;
}

function* status(call: AgentCall): Task<number> {
  const address = call.parameter('address');
  call.log('debug', `Checking ${address}, Level ${call.checkLevel}`);
  const found = findConfigured(call.os, address);
  if (found === undefined) {
    call.log('warning', `${address} is not configured`);
    return AgentExit.NOT_RUNNING;
  }
  const { name, isUp } = found.interface;
  call.log('debug', `${address} present on ${name}`);
  if (monitorsLink(call)) {
    if (!hasLink(call, found.interface)) {
      call.log('warning', `No link on ${name}...`);
      return AgentExit.NOT_RUNNING;
    }
    call.log('debug', `Link detected on ${name}`);
  }
  if (call.checkLevel >= 10) {
    const plain = withoutPrefix(address);
    if (!(yield* doesAnswer(call.os, plain, name))) {
      call.log('warning', `Failed to ping ${plain}`);
      return AgentExit.NOT_RUNNING;
    }
    call.log('debug', `Local ping to ${plain} succeeded`);
  }
  return isUp ? AgentExit.SUCCESS : INTERFACE_DOWN;
}

/** Differs from ip.sh, which validates nothing. */
function* validate(call: AgentCall): Task<number> {
  return parseIpv4(call.parameter('address')) === undefined ? AgentExit.ARGUMENTS : AgentExit.SUCCESS;
}

/** An address with its prefix length, and the interface that has it or shall get it. */
interface Place {
  readonly interface: InterfaceInfo;
  readonly address: string;
}

function findConfigured(os: Os, wanted: string): Place | undefined {
  const plain = withoutPrefix(wanted);
  for (const each of os.interfaces()) {
    const address = each.addresses.find((own) => withoutPrefix(own) === plain);
    if (address !== undefined) return { interface: each, address };
  }
  return undefined;
}

function findPlace(call: AgentCall, wanted: string): Place | undefined {
  const address = parseIpv4(wanted);
  if (address === undefined) return undefined;
  const preferred = call.parameter('prefer_interface');
  for (const each of call.os.interfaces()) {
    if (preferred !== '' && preferred !== each.name) continue;
    const own = each.addresses.map(parseIpv4).find((other) => other !== undefined && isInNetwork(address, other));
    if (own === undefined || !each.isUp) continue;
    if (monitorsLink(call) && !hasLink(call, each)) continue;
    return { interface: each, address: `${address.text}/${own.prefix ?? 32}` };
  }
  return undefined;
}

function hasLink(call: AgentCall, { name, isUp, hasCarrier }: InterfaceInfo): boolean {
  const isDetected = isUp && hasCarrier;
  if (isDetected) call.log('debug', `Link for ${name}: Detected`);
  else call.log('warning', `Link for ${name}: Not detected`);
  return isDetected;
}

function monitorsLink(call: AgentCall): boolean {
  return !['no', '0'].includes(call.parameter('monitor_link'));
}

/** Whether anybody answers a ping, this machine included; 2 s if nobody does. */
function* doesAnswer(os: Os, address: string, name: string): Task<boolean> {
  const { status } = yield* os.run(['ping', '-c', '1', '-w', '2', '-I', name, address]);
  return status === 0;
}

function withoutPrefix(address: string): string {
  return address.split('/', 1)[0]!;
}

/** A text that is no number is no time. */
function sleepTimeOf(call: AgentCall): number {
  const text = call.parameter('sleeptime');
  if (text === '') return DEFAULT_SLEEP_SEC;
  return /^\d+$/.test(text) ? Number(text) : 0;
}
