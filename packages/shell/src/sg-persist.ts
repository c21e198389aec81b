import { type Errno, isErrno, type Os, type Program, type ScsiReply, type Task } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import {
  decodeInquiry,
  decodeKeys,
  decodeReservation,
  inquiry,
  persistentReserveIn,
  ReservationType,
  ReserveIn,
  Status,
} from '@quorate/scsi';

const TYPE_TEXTS: Readonly<Record<number, string>> = {
  [ReservationType.writeExclusive]: 'Write Exclusive',
  [ReservationType.exclusiveAccess]: 'Exclusive Access',
  [ReservationType.writeExclusiveRegistrantsOnly]: 'Write Exclusive, registrants only',
  [ReservationType.exclusiveAccessRegistrantsOnly]: 'Exclusive Access, registrants only',
  [ReservationType.writeExclusiveAllRegistrants]: 'Write Exclusive, all registrants',
  [ReservationType.exclusiveAccessAllRegistrants]: 'Exclusive Access, all registrants',
};

const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ['--in', '-i'],
  ['--read-keys', '-k'],
  ['--read-reservation', '-r'],
]);

/** `sg_persist [-i] -k|-r device`: the keys that are registered with a disk, or its reservation, as sg3_utils prints them. */
export const sgPersist: Program = function* (argv, os) {
  const words = argv.slice(1).map((word) => LONG_NAMES.get(word) ?? word);
  const { flags, operands, error } = parseOptions(words, { flags: 'ikr', values: '' });
  const [device] = operands;
  if (error !== undefined) {
    os.printError(`sg_persist: ${error}: only --in with --read-keys or --read-reservation is served here\n`);
    return 1;
  }
  if (flags.has('k') && flags.has('r')) {
    os.printError('sg_persist: only one service action can be given\n');
    return 1;
  }
  if (device === undefined) {
    os.printError('No device name given\n');
    return 1;
  }
  const data = yield* command(os, device, inquiry(undefined, 96));
  if (data === undefined) {
    os.printError(`sg_persist: error opening file: ${device}: No such file or directory\n`);
    return 15;
  }
  const identity = decodeInquiry(data);
  if (identity === undefined) return failed(os);
  const { vendor, product, revision } = identity;
  os.print(`  ${vendor.padEnd(8)}  ${product.padEnd(16)}  ${revision.padEnd(4)}\n  Peripheral device type: disk\n`);
  if (flags.has('r')) return yield* showReservation(os, device);
  return yield* showKeys(os, device);
};

function* showKeys(os: Os, device: string): Task<number> {
  const data = yield* command(os, device, persistentReserveIn(ReserveIn.readKeys));
  const registered = data && decodeKeys(data);
  if (registered === undefined) return failed(os);
  const { generation, keys } = registered;
  os.print(`  PR generation=0x${generation.toString(16)}, `);
  if (keys.length === 0) os.print('there are NO registered reservation keys\n');
  else if (keys.length === 1) os.print('1 registered reservation key follows:\n');
  else os.print(`${keys.length} registered reservation keys follow:\n`);
  for (const key of keys) os.print(`    0x${key.toString(16)}\n`);
  return 0;
}

function* showReservation(os: Os, device: string): Task<number> {
  const data = yield* command(os, device, persistentReserveIn(ReserveIn.readReservation));
  const held = data && decodeReservation(data);
  if (held === undefined) return failed(os);
  const { generation, reservation } = held;
  os.print(`  PR generation=0x${generation.toString(16)}, `);
  if (reservation === undefined) {
    os.print('there is NO reservation held\n');
    return 0;
  }
  os.print(`Reservation follows:\n    Key=0x${reservation.key.toString(16)}\n`);
  os.print(`    scope: LU_SCOPE,  type: ${TYPE_TEXTS[reservation.type] ?? `0x${reservation.type.toString(16)}`}\n`);
  return 0;
}

function failed(os: Os): number {
  os.printError('PR in: command failed\n');
  return 99;
}

/** Sends a command again as long as a unit attention answers it; undefined when it failed. */
function* command(os: Os, device: string, cdb: Uint8Array): Task<Uint8Array | undefined> {
  for (let attempt = 0; attempt < 4; attempt++) {
    const reply: ScsiReply | Errno = yield* os.scsi(device, cdb);
    if (isErrno(reply)) return undefined;
    if (reply.status === Status.good) return reply.data.slice();
  }
  return undefined;
}
