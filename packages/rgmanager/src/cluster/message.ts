import { asciiBytes, ByteReader, type ByteWriter, cString } from '@quorate/kernel';

/** What rgmanagers say to each other. */
export type RgMessage =
  /** A request for a service, or the answer to one. */
  | {
      readonly kind: 'action';
      readonly service: string;
      /** `Request`. */
      readonly action: number;
      /** Node id: where to, or in an answer who owns it now. */
      readonly target: number;
      /** `Result`; of answers. */
      readonly result: number;
      readonly arg1: number;
      readonly arg2: number;
    }
  /** A service has got into another state. `owner` -1: none. */
  | {
      readonly kind: 'event';
      readonly service: string;
      readonly state: number;
      readonly owner: number;
      readonly lastOwner: number;
    }
  /** That node is about to leave. */
  | { readonly kind: 'exiting'; readonly node: number }
  | {
      readonly kind: 'join-view';
      readonly transaction: number;
      readonly key: string;
      readonly coordinator: number;
      readonly view: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'vote'; readonly transaction: number; readonly isYes: boolean }
  | { readonly kind: 'abort'; readonly transaction: number }
  | { readonly kind: 'formed'; readonly transaction: number }
  | { readonly kind: 'current'; readonly key: string }
  | { readonly kind: 'ack'; readonly key: string; readonly view: number; readonly data: Uint8Array }
  | { readonly kind: 'nack' };

/** Argument of an action that does not come from a user: its receiver performs it and asks nobody. */
export const ACTION_MASTER = 0xfe0db143;

const MAGIC = 0x123abc00;
const HEADER_BYTES = 24;
const ACTION_BYTES = 104;
const VIEW_BYTES = 112;
const KEY_BYTES = 64;

const Command = {
  EXITING: 9,
  ACTION: 0x138582,
  EVENT: 0x138583,
  VIEW: 0x3000,
  /** A command of its own, unlike its siblings. */
  VIEW_NACK: 0x3008,
} as const;

const ViewCommand = {
  JOIN: 0x3001,
  VOTE: 0x3002,
  ABORT: 0x3004,
  FORMED: 0x3005,
  CURRENT: 0x3006,
  ACK: 0x3007,
} as const;
/** Added to VOTE. */
const AFFIRM = 0x10000;

/**
 * Every message begins with this header. Big-endian.
 *
 * offset size field
 *      0    4 magic    0x123abc00
 *      4    4 length   of the whole message
 *      8    4 command
 *     12    4 arg1
 *     16    4 arg2
 *     20    4 arg3     zero
 *
 * Source: rgmanager include/message.h, `generic_msg_hdr`.
 */
function writeHeader(writer: ByteWriter, length: number, command: number, arg1: number, arg2: number): void {
  writer.u32(MAGIC).u32(length).u32(command).u32(arg1).u32(arg2).u32(0);
}

/**
 * An action or event: 104 bytes.
 *
 * offset size field
 *      0   24 header   of an event: arg1 owner, arg2 last owner
 *     24   64 service  NUL padded
 *     88    4 action   of an event: the state
 *     92    4 –        zero
 *     96    4 target   node id
 *    100    4 result   signed
 *
 * Source: rgmanager include/message.h, `SmMessageSt`.
 */
function writeAction(writer: ByteWriter, service: string, action: number, target: number, result: number): void {
  writer
    .raw(asciiBytes(service).subarray(0, KEY_BYTES - 1), KEY_BYTES)
    .u32(action)
    .u32(0)
    .u32(target)
    .u32(result);
}

/**
 * A value of a key: 112 bytes and the data.
 *
 * offset size field
 *      0   24 header       command 0x3000, arg1 join-view, current or ack
 *     24    4 –            zero
 *     28    4 transaction  node id << 16, counting up
 *     32   64 key          NUL padded
 *     96    4 coordinator  node id
 *    100    4 length       of the data
 *    104    8 view         number of the value
 *    112      data
 *
 * Source: rgmanager include/vf.h, `vf_msg_t`.
 */
function writeView(
  writer: ByteWriter,
  command: number,
  key: string,
  { transaction = 0, coordinator = 0, view = 0, data = NO_BYTES }: ViewFields,
): void {
  writeHeader(writer, VIEW_BYTES + data.length, Command.VIEW, command, 0);
  writer
    .u32(0)
    .u32(transaction)
    .raw(asciiBytes(key).subarray(0, KEY_BYTES - 1), KEY_BYTES);
  writer.u32(coordinator).u32(data.length).u64(view).raw(data);
}

interface ViewFields {
  readonly transaction?: number;
  readonly coordinator?: number;
  readonly view?: number;
  readonly data?: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** Writes a message behind what the writer holds already. */
export function writeMessage(writer: ByteWriter, message: RgMessage): void {
  switch (message.kind) {
    case 'action': {
      const { service, action, target, result, arg1, arg2 } = message;
      writeHeader(writer, ACTION_BYTES, Command.ACTION, arg1, arg2);
      return writeAction(writer, service, action, target, result);
    }
    case 'event': {
      const { service, state, owner, lastOwner } = message;
      writeHeader(writer, ACTION_BYTES, Command.EVENT, owner, lastOwner);
      return writeAction(writer, service, state, owner, 0);
    }
    case 'exiting':
      return writeHeader(writer, HEADER_BYTES, Command.EXITING, message.node, 0);
    case 'join-view':
      return writeView(writer, ViewCommand.JOIN, message.key, message);
    case 'vote': {
      const command = ViewCommand.VOTE + (message.isYes ? AFFIRM : 0);
      return writeHeader(writer, HEADER_BYTES, Command.VIEW, command, message.transaction);
    }
    case 'abort':
      return writeHeader(writer, HEADER_BYTES, Command.VIEW, ViewCommand.ABORT, message.transaction);
    case 'formed':
      return writeHeader(writer, HEADER_BYTES, Command.VIEW, ViewCommand.FORMED, message.transaction);
    case 'current':
      return writeView(writer, ViewCommand.CURRENT, message.key, {});
    case 'ack':
      return writeView(writer, ViewCommand.ACK, message.key, message);
    case 'nack':
      return writeHeader(writer, HEADER_BYTES, Command.VIEW_NACK, 0, 0);
  }
}

export type MessageDefect = 'truncated' | 'bad-magic' | 'bad-length' | 'unknown-command';

/** Reads one message; what it returns is copied. */
export function readMessage(bytes: Uint8Array): RgMessage | MessageDefect {
  const reader = new ByteReader(bytes, false);
  const magic = reader.u32();
  const length = reader.u32();
  const command = reader.u32();
  const arg1 = reader.u32();
  const arg2 = reader.u32();
  reader.skip(4);
  if (!reader.ok) return 'truncated';
  if (magic !== MAGIC) return 'bad-magic';
  if (length !== bytes.length) return 'bad-length';
  switch (command) {
    case Command.ACTION:
      return readAction(reader, arg1, arg2);
    case Command.EVENT:
      return readEvent(reader, arg1, arg2);
    case Command.EXITING:
      return { kind: 'exiting', node: arg1 };
    case Command.VIEW:
      return readView(reader, arg1, arg2);
    case Command.VIEW_NACK:
      return { kind: 'nack' };
    default:
      return 'unknown-command';
  }
}

function readAction(reader: ByteReader, arg1: number, arg2: number): RgMessage | MessageDefect {
  const service = cString(reader.raw(KEY_BYTES));
  const action = reader.u32();
  reader.skip(4);
  const target = reader.u32();
  const result = reader.i32();
  return reader.ok ? { kind: 'action', service, action, target, result, arg1, arg2 } : 'truncated';
}

function readEvent(reader: ByteReader, owner: number, lastOwner: number): RgMessage | MessageDefect {
  const service = cString(reader.raw(KEY_BYTES));
  const state = reader.u32();
  reader.skip(12);
  return reader.ok ? { kind: 'event', service, state, owner: owner | 0, lastOwner: lastOwner | 0 } : 'truncated';
}

function readView(reader: ByteReader, command: number, transaction: number): RgMessage | MessageDefect {
  switch (command) {
    case ViewCommand.VOTE:
    case ViewCommand.VOTE + AFFIRM:
      return { kind: 'vote', transaction, isYes: command !== ViewCommand.VOTE };
    case ViewCommand.ABORT:
      return { kind: 'abort', transaction };
    case ViewCommand.FORMED:
      return { kind: 'formed', transaction };
    case ViewCommand.JOIN:
    case ViewCommand.CURRENT:
    case ViewCommand.ACK:
      return readValue(reader, command);
    default:
      return 'unknown-command';
  }
}

function readValue(reader: ByteReader, command: number): RgMessage | MessageDefect {
  reader.skip(4);
  const transaction = reader.u32();
  const key = cString(reader.raw(KEY_BYTES));
  const coordinator = reader.u32();
  const length = reader.u32();
  const view = reader.u64();
  if (!reader.ok) return 'truncated';
  if (command === ViewCommand.CURRENT) return { kind: 'current', key };
  if (length !== reader.left) return 'bad-length';
  const data = reader.rest().slice();
  if (command === ViewCommand.ACK) return { kind: 'ack', key, view, data };
  return { kind: 'join-view', transaction, key, coordinator, view, data };
}
