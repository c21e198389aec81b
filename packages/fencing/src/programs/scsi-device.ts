import { type Errno, isErrno, type Os, type ScsiReply, type Task, utf8Text } from '@quorate/kernel';
import {
  decodeKeys,
  decodeReservation,
  persistentReserveIn,
  persistentReserveOut,
  ReservationType,
  ReserveIn,
  ReserveOut,
  testUnitReady,
} from '@quorate/scsi';
import { type AgentLog, Failure } from './agent-log.js';
import { sgStatus, UNIT_ATTENTION } from './sg-status.js';

/** One disk, as fence_scsi sees it through sg_persist and sg_turs. */
export class ScsiDevice {
  readonly path: string;
  readonly #os: Os;
  readonly #log: AgentLog;

  constructor(os: Os, log: AgentLog, path: string) {
    this.#os = os;
    this.#log = log;
    this.path = path;
  }

  /** Why it is none; undefined for a device. What that says to TEST UNIT READY does not matter. */
  *check(): Task<Failure | undefined> {
    const reply = yield* this.#os.scsi(this.path, testUnitReady());
    // A mapped device takes no command unless it lies on one disk alone, but it is there.
    if (!isErrno(reply) || reply === 'EINVAL') return undefined;
    const isFile = !isErrno(yield* this.#os.stat(this.path));
    return this.#log.error(`device ${this.path} ${isFile ? 'is not a block device' : 'does not exist'}`);
  }

  /**
   * REGISTER AND IGNORE EXISTING KEY; the exit status that sg_persist would have. A device that has several paths is
   * registered on each of them, and how that goes is not looked at.
   */
  *registerIgnore(key: string, hasAptpl: boolean): Task<number | Failure> {
    const path = yield* realPath(this.#os, this.path);
    if (path.startsWith('/dev/dm')) {
      const slaves = yield* slavesOf(this.#os, path.slice('/dev/'.length));
      if (slaves instanceof Failure) return slaves;
      for (const slave of slaves) yield* new ScsiDevice(this.#os, this.#log, slave).registerIgnore(key, hasAptpl);
      return 0;
    }
    const title = 'main::do_register_ignore';
    this.#log.debug(`${title} (node_key=${key}, dev=${path})`);
    yield* new ScsiDevice(this.#os, this.#log, path).reset();
    const { cdb, data } = persistentReserveOut(
      ReserveOut.registerAndIgnoreExistingKey,
      ReservationType.none,
      0n,
      BigInt(`0x${key}`),
      { aptpl: hasAptpl },
    );
    return this.#ended(title, yield* this.#os.scsi(path, cdb, data));
  }

  /** RESERVE, write exclusive for registrants. */
  *reserve(key: string): Task<number> {
    this.#log.debug(`main::do_reserve (host_key=${key}, dev=${this.path})`);
    return yield* this.#reserveOut('main::do_reserve', ReserveOut.reserve, key, '0');
  }

  *preemptAbort(hostKey: string, nodeKey: string): Task<number> {
    this.#log.debug(`main::do_preempt_abort (host_key=${hostKey}, node_key=${nodeKey}, dev=${this.path})`);
    return yield* this.#reserveOut('main::do_preempt_abort', ReserveOut.preemptAndAbort, hostKey, nodeKey);
  }

  *#reserveOut(title: string, action: ReserveOut, key: string, serviceActionKey: string): Task<number> {
    const type = ReservationType.writeExclusiveRegistrantsOnly;
    const { cdb, data } = persistentReserveOut(action, type, BigInt(`0x${key}`), BigInt(`0x${serviceActionKey}`));
    return this.#ended(title, yield* this.#os.scsi(this.path, cdb, data));
  }

  #ended(title: string, reply: ScsiReply | Errno): number {
    const status = sgStatus(reply);
    this.#log.debug(`${title} (err=${status})`);
    return status;
  }

  /** Keys of all registrations, as sg_persist prints them: hex without leading zeros. */
  *registrationKeys(): Task<readonly string[] | Failure> {
    const reply = yield* this.#read(ReserveIn.readKeys);
    const status = sgStatus(reply);
    if (isErrno(reply) || status !== 0) return this.#log.error(`main::get_registration_keys (err=${status})`);
    return (decodeKeys(reply.data)?.keys ?? []).map((key) => key.toString(16));
  }

  /** Key of the reservation's holder; undefined when there is no reservation. */
  *reservationKey(): Task<string | undefined | Failure> {
    const reply = yield* this.#read(ReserveIn.readReservation);
    const status = sgStatus(reply);
    if (isErrno(reply) || status !== 0) return this.#log.error(`main::get_reservation_key (err=${status})`);
    return decodeReservation(reply.data)?.reservation?.key.toString(16);
  }

  /**
   * PERSISTENT RESERVE IN.
   *
   * Differs from the original, which fails when a unit attention answers, until somebody tries again.
   */
  *#read(action: ReserveIn): Task<ScsiReply | Errno> {
    return yield* this.#untilNoAttention(persistentReserveIn(action));
  }

  /**
   * Takes pending unit attentions with TEST UNIT READY, whose result does not matter.
   *
   * Differs from the original, which runs sg_turs once: there the kernel has taken those of the login before.
   */
  *reset(): Task {
    const first = sgStatus(yield* this.#os.scsi(this.path, testUnitReady()));
    this.#log.debug(`main::do_reset (dev=${this.path}, status=${first})`);
    if (first === UNIT_ATTENTION) yield* this.#untilNoAttention(testUnitReady());
  }

  *#untilNoAttention(cdb: Uint8Array): Task<ScsiReply | Errno> {
    for (let attempt = 1; ; attempt++) {
      const reply = yield* this.#os.scsi(this.path, cdb);
      if (sgStatus(reply) !== UNIT_ATTENTION || attempt === ATTENTIONS_MAX) return reply;
    }
  }
}

const ATTENTIONS_MAX = 8;

/** realpath(3), as far as device-mapper's names go: `/dev/mapper/mpatha` is `/dev/dm-0`. */
function* realPath(os: Os, path: string): Task<string> {
  if (!path.startsWith('/dev/mapper/')) return path;
  const names = yield* os.list('/sys/block');
  for (const name of isErrno(names) ? [] : names) {
    const mapped = yield* os.readFile(`/sys/block/${name}/dm/name`);
    if (!isErrno(mapped) && `/dev/mapper/${utf8Text(mapped).trim()}` === path) return `/dev/${name}`;
  }
  return path;
}

/** The devices that a mapped one lies on; of one that lies on another mapped one, those of that one. */
function* slavesOf(os: Os, name: string): Task<readonly string[] | Failure> {
  const names = yield* os.list(`/sys/block/${name}/slaves`);
  if (isErrno(names)) return Failure.die(names);
  const [first] = names;
  if (first?.startsWith('dm') === true) return yield* slavesOf(os, first);
  return names.map((each) => `/dev/${each}`);
}
