import {
  type Errno,
  formatSyslogTime,
  isErrno,
  type Os,
  type Program,
  SECOND,
  type Task,
  utf8Bytes,
  utf8Text,
} from '@quorate/kernel';
import {
  decodeKeys,
  decodeReservation,
  persistentReserveIn,
  persistentReserveOut,
  ReservationType,
  ReserveIn,
  ReserveOut,
  SenseKey,
  testUnitReady,
} from '@quorate/scsi';
import { type AgentMetadata, agentOptions, metadataText } from './agent-options.js';
import { cmanStatus } from './cman-tool.js';
import { sgStatus } from './sg-status.js';

/** Where a node keeps its own key, and the devices that it has registered with. */
export const KEY_FILE = '/var/run/cluster/fence_scsi.key';
export const DEVICE_FILE = '/var/run/cluster/fence_scsi.dev';
const RUN_DIRECTORY = '/var/run/cluster';

const METADATA: AgentMetadata = {
  name: 'fence_scsi',
  shortDescription: 'fence agent for SCSI-3 persistent reservations',
  longDescription: 'fence_scsi',
  options: [
    { key: 'aptpl', letter: 'a', type: 'boolean', description: 'Use APTPL flag for registrations' },
    { key: 'devices', letter: 'd', type: 'string', description: 'List of devices to be used for fencing action' },
    { key: 'logfile', letter: 'f', type: 'string', description: 'File to write error/debug messages' },
    { key: 'delay', letter: 'H', type: 'string', description: 'Wait X seconds before fencing is started' },
    { key: 'key', letter: 'k', type: 'string', description: 'Key value to be used for fencing action' },
    { key: 'action', letter: 'o', type: 'string', description: 'Fencing action', default: 'off' },
    { key: 'nodename', letter: 'n', type: 'string', description: 'Name of node' },
  ],
  actions: [['on', ' on_target="1" automatic="1"'], ['off'], ['status'], ['metadata']],
};

/** Ends the agent: its message is for standard error, its status for whoever runs it. */
class Failure {
  readonly text: string;
  readonly status: number;

  constructor(text: string, status = 1) {
    this.text = text;
    this.status = status;
  }
}

/**
 * fence_scsi: fences a node by removing its registration from the shared disks, so that it cannot write any more.
 *
 * Actions: `on` registers this node (and reserves, write exclusive for registrants, if nobody has), `off` preempts the victim's
 * key, `status` tells whether a key is registered. Keys are 4 hex digits of the cluster id and 4 of the node id.
 *
 * Source: fence-agents RHEL6 fence/agents/scsi/fence_scsi.pl.
 */
export const fenceScsi: Program = function* fenceScsi(argv, os) {
  const options = agentOptions(argv, os, METADATA.options);
  if (options?.get('action')?.toLowerCase() === 'metadata') {
    os.print(metadataText(METADATA));
    return 0;
  }
  if (options === undefined || (!options.has('nodename') && !options.has('key'))) {
    os.print(usage());
    return 0;
  }
  const outcome = yield* act(os, options);
  if (typeof outcome === 'number') return outcome;
  os.printError(outcome.text);
  return outcome.status;
};

function usage(): string {
  const lines = METADATA.options.map(({ letter, description }) => `  -${letter}  ${description}`);
  return `Usage:\n\nfence_scsi [options]\n\nOptions:\n${lines.join('\n')}\n`;
}

function* act(os: Os, options: ReadonlyMap<string, string>): Task<number | Failure> {
  const key = yield* keyOf(os, options);
  if (key instanceof Failure) return key;
  const devices = yield* devicesOf(os, options.get('devices'));
  if (devices instanceof Failure) return devices;
  if (devices.length === 0) return error(os, 'no devices found');
  const delay = Number.parseInt(options.get('delay') ?? '0', 10);
  if (delay > 0) yield* os.sleep(delay * SECOND);
  const action = options.get('action') ?? 'off';
  if (/^on$/i.test(action)) return yield* actionOn(os, key, devices, options.has('aptpl'));
  if (/^off$/i.test(action)) return yield* actionOff(os, key, devices);
  if (/^status/i.test(action)) return yield* actionStatus(os, key, devices);
  return error(os, `unknown action '${action}'`);
}

/** The key, as sg_persist would print it: hex without leading zeros. */
function* keyOf(os: Os, options: ReadonlyMap<string, string>): Task<string | Failure> {
  const key = options.get('key') ?? (yield* keyOfNode(os, options.get('nodename') ?? ''));
  if (key instanceof Failure) return key;
  // The original takes any text for hex; a key that is none, or too long, cannot be registered.
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(key) || BigInt(`0x${key.replace(/^0x/i, '')}`) === 0n) {
    return error(os, 'key cannot be zero');
  }
  return key.replace(/^0x/i, '').replace(/^0+/, '');
}

function* keyOfNode(os: Os, name: string): Task<string | Failure> {
  const clusterId = Number(yield* cmanStatus(os, 'Cluster Id'));
  if (!Number.isInteger(clusterId)) return error(os, 'main::get_cluster_id (err=1)');
  const { status, output } = yield* os.run(['cman_tool', 'nodes', '-n', name, '-F', 'id']);
  if (status !== 0) return error(os, `main::get_node_id (err=${status})`);
  const nodeId = Number(output.trim());
  return fourDigits(clusterId) + fourDigits(Number.isInteger(nodeId) ? nodeId : 0);
}

function fourDigits(value: number): string {
  return value.toString(16).padStart(4, '0');
}

/** The devices asked for, or else every physical volume of a clustered volume group. */
function* devicesOf(os: Os, list: string | undefined): Task<readonly string[] | Failure> {
  if (list !== undefined) return list.split(',').map((device) => device.trim());
  const { status, output } = yield* os.run([
    'vgs',
    '--noheadings',
    '--separator',
    ':',
    '--sort',
    'pv_uuid',
    '--options',
    'vg_attr,pv_name',
  ]);
  if (status !== 0) return error(os, `main::get_devices_clvm (err=${status})`);
  const rows = output.split('\n').map((line) => line.trim().split(':'));
  return rows.filter(([attributes = '']) => attributes.endsWith('c')).map(([, device = '']) => device);
}

function* actionOn(os: Os, key: string, devices: readonly string[], hasAptpl: boolean): Task<number | Failure> {
  const written = yield* keyWrite(os, key);
  if (isErrno(written)) return new Failure(`${written}\n`);
  for (const device of devices) {
    if (!(yield* exists(os, device))) return error(os, `device ${device} does not exist`);
    const err = yield* reserveOut(os, device, { action: 'register_ignore', serviceActionKey: key, hasAptpl });
    if (err !== 0) return error(os, `failed to create registration (key=${key}, device=${device})`);
    const failure = yield* reserve(os, key, device);
    if (failure !== undefined) return failure;
  }
  return yield* verify(os, 'on', key, devices);
}

/** Reserves if nobody has. Losing the race for it is as good. */
function* reserve(os: Os, key: string, device: string): Task<Failure | undefined> {
  const before = yield* reservationKey(os, device);
  if (before instanceof Failure) return before;
  if (before !== undefined) return undefined;
  if ((yield* reserveOut(os, device, { action: 'reserve', key })) === 0) return undefined;
  const after = yield* reservationKey(os, device);
  if (after !== undefined) return after instanceof Failure ? after : undefined;
  return error(os, `failed to create reservation (key=${key}, device=${device})`);
}

function* actionOff(os: Os, key: string, devices: readonly string[]): Task<number | Failure> {
  const hostKey = yield* keyRead(os);
  // perl's `die` prints the error and exits with its number; 2 is ENOENT.
  if (hostKey === undefined) return new Failure('No such file or directory\n', 2);
  if (hostKey === key) return error(os, 'main::do_action_off');
  for (const device of devices) {
    if (!(yield* exists(os, device))) return error(os, `device ${device} does not exist`);
    const keys = yield* registrationKeys(os, device);
    if (keys instanceof Failure) return keys;
    // What the command says does not count; what the disk says afterwards does.
    if (isAmong(keys, key)) {
      yield* reserveOut(os, device, { action: 'preempt_abort', key: hostKey, serviceActionKey: key });
    }
  }
  return yield* verify(os, 'off', key, devices);
}

function* actionStatus(os: Os, key: string, devices: readonly string[]): Task<number | Failure> {
  let count = 0;
  for (const device of devices) {
    if (!(yield* exists(os, device))) return error(os, `device ${device} does not exist`);
    const keys = yield* registrationKeys(os, device);
    if (keys instanceof Failure) return keys;
    if (isAmong(keys, key)) count += 1;
  }
  return count > 0 ? 0 : 2;
}

/** After `on` the key is there, after `off` it is not; a reservation exists after both. */
function* verify(os: Os, action: 'on' | 'off', key: string, devices: readonly string[]): Task<number | Failure> {
  let failures = 0;
  for (const device of devices) {
    const keys = yield* registrationKeys(os, device);
    if (keys instanceof Failure) return keys;
    if (isAmong(keys, key) !== (action === 'on')) {
      const what = action === 'on' ? `register key ${key} on` : `remove key ${key} from`;
      debug(os, `failed to ${what} device ${device}`);
      failures += 1;
      continue;
    }
    if (action === 'on') yield* deviceWrite(os, device);
    const holder = yield* reservationKey(os, device);
    if (holder instanceof Failure) return holder;
    if (holder !== undefined) continue;
    debug(os, `no reservation exists on device ${device}`);
    failures += 1;
  }
  return failures === 0 ? 0 : error(os, `main::do_verify_${action}: failed to verify ${failures} devices`);
}

/** Whether a key is in a list; letters of either case are the same. */
function isAmong(keys: readonly string[], key: string): boolean {
  return keys.some((candidate) => candidate.toLowerCase() === key.toLowerCase());
}

// Commands to a disk

const SERVICE_ACTION = {
  register_ignore: ReserveOut.registerAndIgnoreExistingKey,
  reserve: ReserveOut.reserve,
  preempt_abort: ReserveOut.preemptAndAbort,
} as const;

interface Request {
  readonly action: keyof typeof SERVICE_ACTION;
  readonly key?: string;
  readonly serviceActionKey?: string;
  readonly hasAptpl?: boolean;
}

/** Sends PERSISTENT RESERVE OUT and returns the exit status that sg_persist would have. */
function* reserveOut(os: Os, device: string, request: Request): Task<number> {
  const { action, key = '0', serviceActionKey = '0', hasAptpl = false } = request;
  debug(os, `main::do_${action} (host_key=${key}, node_key=${serviceActionKey}, dev=${device})`);
  const type = action === 'register_ignore' ? ReservationType.none : ReservationType.writeExclusiveRegistrantsOnly;
  const [own, other] = [BigInt(`0x${key}`), BigInt(`0x${serviceActionKey}`)];
  const { cdb, data } = persistentReserveOut(SERVICE_ACTION[action], type, own, other, { aptpl: hasAptpl });
  const status = sgStatus(yield* os.scsi(device, cdb, data));
  debug(os, `main::do_${action} (err=${status})`);
  return status;
}

function* registrationKeys(os: Os, device: string): Task<readonly string[] | Failure> {
  yield* reset(os, device);
  const reply = yield* os.scsi(device, persistentReserveIn(ReserveIn.readKeys));
  const status = sgStatus(reply);
  if (isErrno(reply) || status !== 0) return error(os, `main::get_registration_keys (err=${status})`);
  return (decodeKeys(reply.data)?.keys ?? []).map((key) => key.toString(16));
}

/** Key of the reservation's holder; undefined when there is no reservation. */
function* reservationKey(os: Os, device: string): Task<string | undefined | Failure> {
  const reply = yield* os.scsi(device, persistentReserveIn(ReserveIn.readReservation));
  const status = sgStatus(reply);
  if (isErrno(reply) || status !== 0) return error(os, `main::get_reservation_key (err=${status})`);
  return decodeReservation(reply.data)?.reservation?.key.toString(16);
}

/** Whether the disk is there. What else it says to TEST UNIT READY is dealt with later. */
function* exists(os: Os, device: string): Task<boolean> {
  const reply = yield* reset(os, device);
  return !isErrno(reply);
}

const ATTENTIONS_MAX = 8;

/**
 * Swallows pending unit attentions with TEST UNIT READY, whose result does not matter.
 *
 * Differs from the original, which runs sg_turs once: there the kernel has taken those of the login before.
 */
function* reset(os: Os, device: string): Task<Errno | undefined> {
  for (let i = 0; i < ATTENTIONS_MAX; i++) {
    const reply = yield* os.scsi(device, testUnitReady());
    const status = sgStatus(reply);
    debug(os, `main::do_reset (dev=${device}, status=${status})`);
    if (isErrno(reply)) return reply;
    if (status !== SenseKey.unitAttention) return undefined;
  }
  return undefined;
}

// Files

function* keyRead(os: Os): Task<string | undefined> {
  const bytes = yield* os.readFile(KEY_FILE);
  return isErrno(bytes) ? undefined : utf8Text(bytes).split('\n')[0];
}

function* keyWrite(os: Os, key: string): Task<number | Errno> {
  yield* makeRunDirectory(os);
  return yield* os.writeFile(KEY_FILE, utf8Bytes(`${key}\n`));
}

/** Adds a device to the list, once. */
function* deviceWrite(os: Os, device: string): Task {
  yield* makeRunDirectory(os);
  const bytes = yield* os.readFile(DEVICE_FILE);
  if (!isErrno(bytes) && utf8Text(bytes).split('\n').includes(device)) return;
  yield* os.writeFile(DEVICE_FILE, utf8Bytes(`${device}\n`), { append: true });
}

function* makeRunDirectory(os: Os): Task {
  const info = yield* os.stat(RUN_DIRECTORY);
  if (isErrno(info)) yield* os.makeDirectory(RUN_DIRECTORY);
}

// Messages

function debug(os: Os, text: string): void {
  os.print(`${formatSyslogTime(os.wall().sec)} fence_scsi: [debug] ${text}\n`);
}

function error(os: Os, text: string): Failure {
  return new Failure(`${formatSyslogTime(os.wall().sec)} fence_scsi: [error] ${text}\n`);
}
