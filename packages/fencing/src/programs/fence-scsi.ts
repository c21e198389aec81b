import { type Errno, isErrno, type Os, type Program, SECOND, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { parseAgentInput } from '../agent-input.js';
import { AgentLog, Failure } from './agent-log.js';
import { type AgentMetadata, metadataText } from './agent-options.js';
import { cmanStatus } from './cman-tool.js';
import { parseCommandLine } from './command-line.js';
import { ScsiDevice } from './scsi-device.js';

/** Where a node keeps its own key, and the devices that it has registered with. */
export const KEY_FILE = '/var/run/cluster/fence_scsi.key';
export const DEVICE_FILE = '/var/run/cluster/fence_scsi.dev';
const RUN_DIRECTORY = '/var/run/cluster';

/** The fence-agents release whose agent this is; `-V` prints it without a date. */
const RELEASE_VERSION = '3.1.5';

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
  actions: [['on', ' on_target="1"'], ['off'], ['status'], ['metadata']],
};

const USAGE = `Usage:

fence_scsi [options]

Options:
  -a               Use APTPL flag
  -d <devices>     Devices to be used for action
  -f <logfile>     File to write debug/error output
  -H <timeout>     Wait X seconds before fencing is started
  -h               Usage
  -k <key>         Key to be used for current action
  -n <nodename>    Name of node to operate on
  -o <action>      Action: off (default), on, or status
  -q               Quiet mode
  -V               Version
`;

/**
 * fence_scsi: fences a node by removing its registration from the shared disks, so that it cannot write any more.
 *
 * Actions: `on` registers this node (and reserves, write exclusive for registrants, if nobody has), `off` preempts the victim's
 * key, `status` tells whether a key is registered. Keys are 4 hex digits of the cluster id and 4 of the node id.
 *
 * Source: fence-agents RHEL6 fence/agents/scsi/fence_scsi.pl.
 */
export const fenceScsi: Program = function* fenceScsi(argv, os) {
  const options = optionsOf(argv, os);
  if (options === undefined || options.has('h')) return usage(os);
  if (options.has('V')) {
    os.print(`fence_scsi ${RELEASE_VERSION}\n`);
    return 0;
  }
  if (/^metadata$/i.test(options.get('action') ?? '')) {
    os.print(metadataText(METADATA));
    return 0;
  }
  const log = new AgentLog(os, 'fence_scsi', { isQuiet: options.has('q'), file: options.get('logfile') });
  const unwritable = yield* log.open();
  if (unwritable !== undefined) {
    os.printError(unwritable.text);
    return unwritable.status;
  }
  if (!options.has('nodename') && !options.has('key')) return usage(os);
  return yield* log.end(yield* act({ os, log, options }));
};

function usage(os: Os): number {
  os.print(USAGE);
  return 0;
}

/**
 * From the command line if there is one, else from standard input; there, unlike on the command line, `aptpl=0` counts as
 * `aptpl=1`. Undefined: an option that there is not, which perl complains about.
 */
function optionsOf(argv: readonly string[], os: Os): ReadonlyMap<string, string> | undefined {
  const args = argv.slice(1);
  if (args.length === 0) return parseAgentInput(os.input);
  const { flags, values, complaint } = parseCommandLine(args, 'ad:f:H:hk:n:o:qV');
  if (complaint !== undefined) {
    os.printError(`Unknown option: ${complaint.at(-2)}\n`);
    return undefined;
  }
  const keyOf = (letter: string): string => METADATA.options.find((each) => each.letter === letter)?.key ?? letter;
  return new Map([
    ...[...flags.keys()].map((letter): [string, string] => [keyOf(letter), '1']),
    ...[...values].map(([letter, value]): [string, string] => [keyOf(letter), value]),
  ]);
}

/** One run of the agent. */
interface Run {
  readonly os: Os;
  readonly log: AgentLog;
  readonly options: ReadonlyMap<string, string>;
}

function* act(run: Run): Task<number | Failure> {
  const { os, log, options } = run;
  const key = yield* keyOf(run);
  if (key instanceof Failure) return key;
  const paths = yield* devicesOf(run);
  if (paths instanceof Failure) return paths;
  if (paths.length === 0) return log.error('no devices found');
  const devices = paths.map((path) => new ScsiDevice(os, log, path));
  const delay = Number.parseInt(options.get('delay') ?? '0', 10);
  if (delay > 0) yield* os.sleep(delay * SECOND);
  const action = options.get('action') ?? 'off';
  if (/^on$/i.test(action)) return yield* actionOn(run, key, devices);
  if (/^off$/i.test(action)) return yield* actionOff(run, key, devices);
  if (/^status/i.test(action)) return yield* actionStatus(key, devices);
  return log.error(`unknown action '${action}'`);
}

/** The key, as sg_persist would print it: hex without leading zeros. */
function* keyOf(run: Run): Task<string | Failure> {
  const { log, options } = run;
  const key = options.get('key') ?? (yield* keyOfNode(run, options.get('nodename') ?? ''));
  if (key instanceof Failure) return key;
  // The original takes any text for hex; a key that is none, or too long, cannot be registered.
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(key) || BigInt(`0x${key.replace(/^0x/i, '')}`) === 0n) {
    return log.error('key cannot be zero');
  }
  return key.replace(/^0x/i, '').replace(/^0+/, '');
}

function* keyOfNode({ os, log }: Run, name: string): Task<string | Failure> {
  const clusterId = Number(yield* cmanStatus(os, 'Cluster Id'));
  if (!Number.isInteger(clusterId)) return log.error('main::get_cluster_id (err=1)');
  const { status, output } = yield* os.run(['cman_tool', 'nodes', '-n', name, '-F', 'id']);
  if (status !== 0) return log.error(`main::get_node_id (err=${status})`);
  const nodeId = Number(output.trim());
  return fourDigits(clusterId) + fourDigits(Number.isInteger(nodeId) ? nodeId : 0);
}

function fourDigits(value: number): string {
  return value.toString(16).padStart(4, '0');
}

/** The devices asked for, or else every physical volume of a clustered volume group, whether or not clvmd runs. */
function* devicesOf({ os, log, options }: Run): Task<readonly string[] | Failure> {
  const list = options.get('devices');
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
    '--config',
    'global { locking_type = 0 } devices { preferred_names = [ "^/dev/dm" ] }',
  ]);
  if (status !== 0) return log.error(`main::get_devices_clvm (err=${status})`);
  const rows = output.split('\n').map((line) => line.trim().split(':'));
  return rows.filter(([attributes = '']) => attributes.endsWith('c')).map(([, device = '']) => device);
}

function* actionOn(run: Run, key: string, devices: readonly ScsiDevice[]): Task<number | Failure> {
  const { os, log, options } = run;
  const written = yield* keyWrite(os, key);
  if (isErrno(written)) return Failure.die(written);
  for (const device of devices) {
    const missing = yield* device.check();
    if (missing !== undefined) return missing;
    const err = yield* device.registerIgnore(key, options.has('aptpl'));
    if (err instanceof Failure) return err;
    if (err !== 0) return log.error(`failed to create registration (key=${key}, device=${device.path})`);
    const failure = yield* reserve(log, key, device);
    if (failure !== undefined) return failure;
  }
  return yield* verify(run, 'on', key, devices);
}

/** Reserves if nobody has. Losing the race for it is as good. */
function* reserve(log: AgentLog, key: string, device: ScsiDevice): Task<Failure | undefined> {
  const before = yield* device.reservationKey();
  if (before instanceof Failure) return before;
  if (before !== undefined) return undefined;
  if ((yield* device.reserve(key)) === 0) return undefined;
  const after = yield* device.reservationKey();
  if (after !== undefined) return after instanceof Failure ? after : undefined;
  return log.error(`failed to create reservation (key=${key}, device=${device.path})`);
}

function* actionOff(run: Run, key: string, devices: readonly ScsiDevice[]): Task<number | Failure> {
  const { os, log } = run;
  const hostKey = yield* keyRead(os);
  if (hostKey instanceof Failure) return hostKey;
  if (hostKey === key) return log.error('main::do_action_off');
  for (const device of devices) {
    const missing = yield* device.check();
    if (missing !== undefined) return missing;
    const keys = yield* device.registrationKeys();
    if (keys instanceof Failure) return keys;
    // What the command says does not count; what the disk says afterwards does.
    if (isAmong(keys, key)) yield* device.preemptAbort(hostKey, key);
  }
  return yield* verify(run, 'off', key, devices);
}

function* actionStatus(key: string, devices: readonly ScsiDevice[]): Task<number | Failure> {
  let count = 0;
  for (const device of devices) {
    const missing = yield* device.check();
    if (missing !== undefined) return missing;
    yield* device.reset();
    const keys = yield* device.registrationKeys();
    if (keys instanceof Failure) return keys;
    if (isAmong(keys, key)) count += 1;
  }
  return count > 0 ? 0 : 2;
}

/** After `on` the key is there, after `off` it is not; a reservation exists after both. */
function* verify(
  { os, log }: Run,
  action: 'on' | 'off',
  key: string,
  devices: readonly ScsiDevice[],
): Task<number | Failure> {
  let failures = 0;
  for (const device of devices) {
    const keys = yield* device.registrationKeys();
    if (keys instanceof Failure) return keys;
    if (isAmong(keys, key) !== (action === 'on')) {
      const what = action === 'on' ? `register key ${key} on` : `remove key ${key} from`;
      log.debug(`failed to ${what} device ${device.path}`);
      failures += 1;
      continue;
    }
    if (action === 'on') {
      const written = yield* deviceWrite(os, device.path);
      if (isErrno(written)) return Failure.die(written);
    }
    const holder = yield* device.reservationKey();
    if (holder instanceof Failure) return holder;
    if (holder !== undefined) continue;
    log.debug(`no reservation exists on device ${device.path}`);
    failures += 1;
  }
  return failures === 0 ? 0 : log.error(`main::do_verify_${action}: failed to verify ${failures} devices`);
}

/** Whether a key is in a list; letters of either case are the same. */
function isAmong(keys: readonly string[], key: string): boolean {
  return keys.some((candidate) => candidate.toLowerCase() === key.toLowerCase());
}

// Files

function* keyRead(os: Os): Task<string | Failure> {
  const bytes = yield* os.readFile(KEY_FILE);
  return isErrno(bytes) ? Failure.die(bytes) : utf8Text(bytes).split('\n')[0]!;
}

function* keyWrite(os: Os, key: string): Task<number | Errno> {
  yield* makeRunDirectory(os);
  return yield* os.writeFile(KEY_FILE, utf8Bytes(`${key}\n`));
}

/** Adds a device to the list, once. */
function* deviceWrite(os: Os, device: string): Task<number | Errno> {
  yield* makeRunDirectory(os);
  const bytes = yield* os.readFile(DEVICE_FILE);
  if (!isErrno(bytes) && utf8Text(bytes).split('\n').includes(device)) return 0;
  return yield* os.writeFile(DEVICE_FILE, utf8Bytes(`${device}\n`), { append: true });
}

function* makeRunDirectory(os: Os): Task {
  const info = yield* os.stat(RUN_DIRECTORY);
  if (isErrno(info)) yield* os.makeDirectory(RUN_DIRECTORY);
}
