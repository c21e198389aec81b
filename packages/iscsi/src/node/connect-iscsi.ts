import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { ConfigError } from '@quorate/kernel';
import {
  type Capacity,
  decodeCapacity16,
  decodeInquiry,
  type InquiryData,
  inquiry,
  type OutCommand,
  persistentReserveIn,
  type ReserveIn,
  read16,
  readCapacity16,
  type Sense,
  SenseKey,
  Status,
  senseOf,
  senseText,
  synchronizeCache10,
  write16,
} from '@quorate/scsi';
import type { ChapSecret } from '../chap/chap.js';
import type { DiscoveredTarget, IscsiInitiatorOutput } from '../initiator/initiator-io.js';
import type { Parameters } from '../session/parameters.js';
import { InitiatorSocket } from './initiator-socket.js';
import { IscsiError } from './iscsi-error.js';
import { parseIscsiUrl } from './iscsi-url.js';
import { RANDOM_WORLD } from './random-world.js';

export interface ConnectOptions {
  /** iSCSI name of this initiator; made of the host's name when left out. */
  readonly initiator?: string;
  /** 12 hex digits; drawn when left out, which makes another initiator port each time. */
  readonly isid?: string;
  /** What the target is to prove itself with. */
  readonly mutual?: ChapSecret;
  readonly wishes?: Partial<Parameters>;
  /** Hears what the target says unasked of its units. */
  readonly onUnitEvent?: (lun: number, sense: Sense | undefined) => void;
}

/** How a command ended; bytes are the receiver's to keep. */
export interface ScsiResult {
  readonly status: number;
  readonly sense: Sense | undefined;
  readonly data: Uint8Array;
  readonly residual: number;
}

/** A command that ended otherwise than with GOOD. */
export class ScsiStatusError extends Error {
  override readonly name = 'ScsiStatusError';
  readonly status: number;
  readonly sense: Sense | undefined;

  constructor(what: string, { status, sense }: ScsiResult) {
    const ending = sense === undefined ? '' : `, sense ${senseText(sense)}`;
    super(`${what}: status ${status.toString(16).padStart(2, '0')}h${ending}`);
    this.status = status;
    this.sense = sense;
  }
}

/** Longest piece of a read or write, bytes; longer ones are cut. */
const PIECE_BYTES = 1024 * 1024;

/** So many unit attentions in a row are taken before a command is given up. */
const MAX_ATTENTIONS = 8;

interface Pending {
  resolve(result: ScsiResult): void;
  reject(error: Error): void;
}

/** One logical unit of a target on another machine. Every call rejects with `IscsiError` once the connection has ended. */
export class IscsiDisk {
  readonly lun: number;
  readonly #socket: InitiatorSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #loggedIn: Promise<void>;
  readonly #ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  #settleLogin: { resolve(): void; reject(error: Error): void } = { resolve: () => {}, reject: () => {} };
  readonly #onUnitEvent: ConnectOptions['onUnitEvent'];
  #error: IscsiError | undefined;
  #lastId = 0;
  #blockLength = 0;

  /** @internal Use `connectIscsi`. */
  constructor(url: string, options: ConnectOptions) {
    const { host, port, target, lun, user } = parseIscsiUrl(url);
    if (target === undefined) throw new ConfigError('url', url, 'a target and a LUN');
    this.lun = lun;
    this.#onUnitEvent = options.onUnitEvent;
    this.#loggedIn = new Promise((resolve, reject) => {
      this.#settleLogin = { resolve, reject };
    });
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const config = { ...identityOf(options), target, ...(user === undefined ? undefined : { user }) };
    this.#socket = new InitiatorSocket({ host, port }, config, (output) => this.#onOutput(output));
  }

  /** Resolves with the login. @internal */
  get loggedIn(): Promise<void> {
    return this.#loggedIn;
  }

  /** Runs any command. Resolves whatever its status is. */
  execute(cdb: Uint8Array, dataInLength = 0, dataOut?: Uint8Array): Promise<ScsiResult> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      const { lun } = this;
      this.#socket.step({ kind: 'command', id, lun, cdb, dataInLength, ...(dataOut === undefined ? {} : { dataOut }) });
    });
  }

  async inquiry(): Promise<InquiryData> {
    const { data } = await this.#good('INQUIRY', inquiry(), 255);
    const decoded = decodeInquiry(data);
    if (decoded === undefined) throw new RangeError(`INQUIRY gave ${data.length} bytes that are none of its data`);
    return decoded;
  }

  async readCapacity(): Promise<Capacity> {
    const { data } = await this.#good('READ CAPACITY(16)', readCapacity16(), 32);
    const capacity = decodeCapacity16(data);
    if (capacity === undefined) throw new RangeError(`READ CAPACITY(16) gave ${data.length} bytes, expected 32`);
    this.#blockLength = capacity.blockLength;
    return capacity;
  }

  /** `blocks` blocks from `lba` on, in commands of at most 1 MiB, all at once. */
  async read(lba: number, blocks: number): Promise<Uint8Array> {
    const length = await this.#lengthOfBlock();
    const all = new Uint8Array(blocks * length);
    await this.#inPieces(blocks, length, async (first, count) => {
      const { data } = await this.#good('READ(16)', read16(lba + first, count), count * length);
      all.set(data, first * length);
    });
    return all;
  }

  /** @throws {RangeError} when `bytes` is not a whole number of blocks. */
  async write(lba: number, bytes: Uint8Array): Promise<void> {
    const length = await this.#lengthOfBlock();
    if (bytes.length % length !== 0) throw new RangeError(`${bytes.length} bytes, expected a multiple of ${length}`);
    await this.#inPieces(bytes.length / length, length, async (first, count) => {
      const piece = bytes.subarray(first * length, (first + count) * length);
      await this.#good('WRITE(16)', write16(lba + first, count), 0, piece);
    });
  }

  /** SYNCHRONIZE CACHE over the whole unit. */
  async flush(): Promise<void> {
    await this.#good('SYNCHRONIZE CACHE(10)', synchronizeCache10());
  }

  /** PERSISTENT RESERVE IN; the parsers of `@quorate/scsi` read what it gives. */
  async persistentReserveIn(action: ReserveIn): Promise<Uint8Array> {
    const { data } = await this.#good('PERSISTENT RESERVE IN', persistentReserveIn(action), 8192);
    return data;
  }

  /** PERSISTENT RESERVE OUT, as `persistentReserveOut` of `@quorate/scsi` builds it. */
  async persistentReserveOut({ cdb, data }: OutCommand): Promise<void> {
    await this.#good('PERSISTENT RESERVE OUT', cdb, 0, data);
  }

  /** Logs out. */
  async close(): Promise<void> {
    if (this.#error === undefined) this.#socket.step({ kind: 'logout' });
    await this.#ended;
  }

  /** Runs a command until it meets no unit attention. @throws {ScsiStatusError} for any other end than GOOD. */
  async #good(what: string, cdb: Uint8Array, dataInLength = 0, dataOut?: Uint8Array): Promise<ScsiResult> {
    for (let attempt = 1; ; attempt++) {
      const result = await this.execute(cdb, dataInLength, dataOut);
      if (result.status === Status.good) return result;
      if (result.sense?.key !== SenseKey.unitAttention || attempt > MAX_ATTENTIONS)
        throw new ScsiStatusError(what, result);
    }
  }

  async #lengthOfBlock(): Promise<number> {
    return this.#blockLength === 0 ? (await this.readCapacity()).blockLength : this.#blockLength;
  }

  async #inPieces(
    blocks: number,
    blockLength: number,
    run: (first: number, count: number) => Promise<void>,
  ): Promise<void> {
    const most = PIECE_BYTES / blockLength;
    const runs: Promise<void>[] = [];
    for (let first = 0; first < blocks; first += most) runs.push(run(first, Math.min(most, blocks - first)));
    await Promise.all(runs);
  }

  #onOutput(output: IscsiInitiatorOutput): void {
    switch (output.kind) {
      case 'logged-in':
        return this.#settleLogin.resolve();
      case 'response': {
        const { id, status, sense, data, residual } = output;
        const pending = this.#pending.get(id);
        this.#pending.delete(id);
        return pending?.resolve({ status, sense: senseOf(sense), data: data.slice(), residual });
      }
      case 'unit-event':
        return this.#onUnitEvent?.(output.lun, senseOf(output.sense));
      case 'close':
        return this.#onClose(new IscsiError(output));
      default:
        return;
    }
  }

  #onClose(error: IscsiError): void {
    this.#error ??= error;
    this.#settleLogin.reject(this.#error);
    for (const { reject } of this.#pending.values()) reject(this.#error);
    this.#pending.clear();
    this.#resolveEnded();
  }
}

/**
 * Logs in to the unit of a URL: `iscsi://[user%secret@]host[:port]/target/lun`. Rejects with `IscsiError` when that fails.
 */
export async function connectIscsi(url: string, options: ConnectOptions = {}): Promise<IscsiDisk> {
  const disk = new IscsiDisk(url, options);
  await disk.loggedIn;
  return disk;
}

/** The targets that a portal tells, `iscsi://[user%secret@]host[:port]`. */
export function discoverIscsi(url: string, options: ConnectOptions = {}): Promise<readonly DiscoveredTarget[]> {
  const { host, port, user } = parseIscsiUrl(url);
  return new Promise((resolve, reject) => {
    const config = { ...identityOf(options), ...(user === undefined ? undefined : { user }) };
    const socket = new InitiatorSocket({ host, port }, config, (output) => {
      if (output.kind === 'logged-in') socketSoon(() => socket.step({ kind: 'send-targets' }));
      if (output.kind === 'targets') {
        resolve(output.targets);
        socketSoon(() => socket.step({ kind: 'logout' }));
      }
      if (output.kind === 'close') reject(new IscsiError(output));
    });
  });
}

/** A machine on the stack is not stepped: what follows from its output comes after. */
function socketSoon(act: () => void): void {
  queueMicrotask(act);
}

function identityOf({ initiator, isid, mutual, wishes }: ConnectOptions) {
  return {
    initiator: initiator ?? `iqn.2024-01.quorate:${hostname().toLowerCase()}`,
    // Type 10b: the qualifier is random.
    isid: isid ?? `80${randomBytes(5).toString('hex')}`,
    world: RANDOM_WORLD,
    ...(mutual === undefined ? undefined : { mutual }),
    ...(wishes === undefined ? undefined : { wishes }),
  };
}
