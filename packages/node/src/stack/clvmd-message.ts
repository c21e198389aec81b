import { concatBytes, cString, utf8Bytes, viewOf } from '@quorate/kernel';

/** What one clvmd does to a volume for another. */
export type VolumeCommand = 'activate' | 'activate-exclusive' | 'deactivate' | 'resume';

export type ClvmdMessage =
  /** A daemon has started, or tells a newcomer that it runs. */
  | { readonly kind: 'version'; readonly version: readonly [major: number, minor: number, patch: number] }
  | {
      readonly kind: 'lock-volume';
      readonly transaction: number;
      /** Of the daemon that asks: comes back with the reply. */
      readonly client: number;
      readonly command: VolumeCommand;
      /** Identifiers of group and volume without dashes, 64 characters. */
      readonly resource: string;
    }
  | {
      readonly kind: 'reply';
      readonly transaction: number;
      readonly client: number;
      /** An errno of Linux; 0 when it was done. */
      readonly status: number;
      /** Why not; empty when it was done. */
      readonly text: string;
    };

const Command = { reply: 1, version: 2, lockVolume: 50 } as const;

/** Type and scope of a lock on a volume, as LVM's libraries number them. */
const LOCKS: { readonly [command in VolumeCommand]: number } = {
  deactivate: 0x08,
  activate: 0x09,
  'activate-exclusive': 0x0d,
  resume: 0x0e,
};
const VOLUME_COMMANDS = Object.keys(LOCKS) as readonly VolumeCommand[];
const LOCK_MASK = 0x0f;
const RESOURCE_CHARACTERS = 64;

const HEADER_BYTES = 17;
const NODE_AT = 16;

/** The volume is one of a clustered group: only for those a lock is taken. */
const CLUSTERED = 0x80;

/** Second byte of a lock: events of the volume are monitored, as is the default. */
const MONITOR = 0x04;

/**
 * A message of clvmd, on cman's port 11. Big-endian, but for the client's number.
 *
 * offset size field
 *      0    1 command    1 reply, 2 version, 50 lock a volume
 *      1    1 flags      0: between daemons
 *      2    2 xid
 *      4    4 clientid   a token for who sent it, little-endian as on x86
 *      8    4 status     of a reply
 *     12    4 length     of the arguments, a zero at the end of a lock's name not counted
 *     16    1 node       an empty name
 *     17      arguments  version: 3 × u32. lock: type and scope, bit 7 clustered; flags; name, zero. reply: text, zero
 *
 * One byte follows the arguments of a version and of a reply: the original's structure has room for one already.
 *
 * Source: LVM2 daemons/clvmd/clvm.h, clvmd.c, lib/locking/cluster_locking.c.
 */
export function encodeClvmdMessage(message: ClvmdMessage): Uint8Array {
  switch (message.kind) {
    case 'version': {
      const args = new Uint8Array(13);
      for (const [i, number] of message.version.entries()) viewOf(args).setUint32(4 * i, number);
      return encode({ command: Command.version, transaction: 0, client: 0, status: 0 }, args);
    }
    case 'lock-volume': {
      const { command, resource, transaction, client } = message;
      const lock = Uint8Array.of(LOCKS[command] | CLUSTERED, MONITOR);
      const args = concatBytes(lock, utf8Bytes(resource), ZERO);
      return encode({ command: Command.lockVolume, transaction, client, status: 0 }, args);
    }
    case 'reply': {
      const { transaction, client, status, text } = message;
      const args = text === '' ? ZERO : concatBytes(utf8Bytes(text), ZERO, ZERO);
      return encode({ command: Command.reply, transaction, client, status }, args);
    }
  }
}

const ZERO: Uint8Array = new Uint8Array(1);

interface Header {
  readonly command: number;
  readonly transaction: number;
  readonly client: number;
  readonly status: number;
}

function encode({ command, transaction, client, status }: Header, args: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + args.length);
  const view = viewOf(bytes);
  bytes[0] = command;
  view.setUint16(2, transaction);
  view.setUint32(4, client, true);
  view.setInt32(8, status);
  view.setUint32(12, args.length - 1);
  bytes.set(args, HEADER_BYTES);
  return bytes;
}

/** Undefined for what is none, or says something that our daemons do not. */
export function decodeClvmdMessage(bytes: Uint8Array): ClvmdMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes[NODE_AT] !== 0) return undefined;
  const view = viewOf(bytes);
  const args = bytes.subarray(HEADER_BYTES);
  const from = { transaction: view.getUint16(2), client: view.getUint32(4, true) };
  switch (bytes[0]) {
    case Command.version: {
      if (args.length < 12) return undefined;
      const numbers = viewOf(args);
      return { kind: 'version', version: [numbers.getUint32(0), numbers.getUint32(4), numbers.getUint32(8)] };
    }
    case Command.lockVolume: {
      const command = VOLUME_COMMANDS.find((name) => LOCKS[name] === (args[0]! & LOCK_MASK));
      const resource = cString(args, 2);
      if (command === undefined || resource.length !== RESOURCE_CHARACTERS) return undefined;
      return { kind: 'lock-volume', ...from, command, resource };
    }
    case Command.reply:
      return { kind: 'reply', ...from, status: view.getInt32(8), text: cString(args) };
    default:
      return undefined;
  }
}
