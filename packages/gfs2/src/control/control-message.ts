import { Decoder, Encoder } from '@msgpack/msgpack';

/** A journal as the members of a mount group know it. */
export interface JournalRecord {
  readonly jid: number;
  /** The node that writes it; 0 when nobody does. */
  readonly node: number;
  /** Number of the failure after which nobody has replayed it yet; 0 when there is nothing to replay. */
  readonly failure: number;
  /** Its writer may have begun to mount: it can hold something. */
  readonly isInUse: boolean;
}

/**
 * What the daemons of one mount group tell each other: a MessagePack array, its first element the kind.
 *
 * kind               elements behind it
 * start              epoch, members, counts [node, changes][], journals [jid, node, failure, isInUse][], failures, needsFirst, progress
 * first-done         –
 * recovery-result    jid, failure, isRecovered
 * withdraw           –
 * withdraw-ack       node
 *
 * gfs_controld of RHEL 6 sends the same messages as C structures that were never public.
 */
export type ControlMessage =
  | StartMessage
  | { readonly kind: 'first-done' }
  | { readonly kind: 'recovery-result'; readonly jid: number; readonly failure: number; readonly isRecovered: boolean }
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'withdraw-ack'; readonly node: number };

/** Sent once a node has stopped for a change: all of them together end it. */
export interface StartMessage {
  readonly kind: 'start';
  /** The last change that the sender has ended; it knows the journals since then. Undefined: none, it is new. */
  readonly epoch: Epoch | undefined;
  /** Of the change that it speaks of, lowest first. */
  readonly members: readonly number[];
  /** For every member that the sender saw join, itself included: changes since, that member's join included. */
  readonly counts: readonly (readonly [node: number, changes: number])[];
  readonly journals: readonly JournalRecord[];
  /** Failures of journals so far. */
  readonly failures: number;
  /** No node has replayed all journals since the group began. */
  readonly needsFirst: boolean;
  readonly progress: MountProgress;
}

/**
 * Which change of a group was ended last: its lowest member, and how many the group had ended by then. Members that have the same
 * one hold the same table; halves of a group that were apart have ended different ones.
 */
export type Epoch = readonly [lowest: number, count: number];

/** How far the sender's kernel is: it has not begun to mount, it is at it, or it has. */
export type MountProgress = 'none' | 'begun' | 'done';

const PROGRESS: readonly unknown[] = ['none', 'begun', 'done'] satisfies readonly MountProgress[];

export function encodeControlMessage(message: ControlMessage): Uint8Array<ArrayBuffer> {
  return new Encoder().encode(fieldsOf(message)).slice();
}

function fieldsOf(message: ControlMessage): readonly unknown[] {
  switch (message.kind) {
    case 'start':
      return [
        message.kind,
        message.epoch ?? null,
        message.members,
        message.counts,
        message.journals.map(({ jid, node, failure, isInUse }) => [jid, node, failure, isInUse]),
        message.failures,
        message.needsFirst,
        message.progress,
      ];
    case 'recovery-result':
      return [message.kind, message.jid, message.failure, message.isRecovered];
    case 'withdraw-ack':
      return [message.kind, message.node];
    case 'first-done':
    case 'withdraw':
      return [message.kind];
  }
}

/** Reads a message; undefined for bytes that are none. */
export function decodeControlMessage(bytes: Uint8Array): ControlMessage | undefined {
  let fields: unknown;
  try {
    fields = new Decoder().decode(bytes);
  } catch {
    return undefined;
  }
  return Array.isArray(fields) ? messageOf(fields) : undefined;
}

function messageOf([kind, a, b, c, d, e, f, g]: readonly unknown[]): ControlMessage | undefined {
  switch (kind) {
    case 'start': {
      const members: readonly number[] | undefined = Array.isArray(b) && b.every(isId) ? b : undefined;
      const counts = listOf(c, pairOf);
      const journals = listOf(d, journalOf);
      const epoch = Array.isArray(a) ? pairOf(a) : undefined;
      if ((a !== null && epoch === undefined) || typeof f !== 'boolean' || !PROGRESS.includes(g) || !isId(e)) return;
      if (members === undefined || counts === undefined || journals === undefined) return;
      const progress = g as MountProgress;
      return { kind, epoch, members, counts, journals, failures: e, needsFirst: f, progress };
    }
    case 'recovery-result':
      return isId(a) && isId(b) && typeof c === 'boolean' ? { kind, jid: a, failure: b, isRecovered: c } : undefined;
    case 'withdraw-ack':
      return isId(a) ? { kind, node: a } : undefined;
    case 'first-done':
    case 'withdraw':
      return { kind };
    default:
      return undefined;
  }
}

function listOf<T>(value: unknown, itemOf: (item: readonly unknown[]) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item) => (Array.isArray(item) ? itemOf(item) : undefined));
  return items.every((item) => item !== undefined) ? (items as T[]) : undefined;
}

function pairOf([one, other]: readonly unknown[]): readonly [number, number] | undefined {
  return isId(one) && isId(other) ? [one, other] : undefined;
}

function journalOf([jid, node, failure, isInUse]: readonly unknown[]): JournalRecord | undefined {
  if (!isId(jid) || !isId(node) || !isId(failure) || typeof isInUse !== 'boolean') return undefined;
  return { jid, node, failure, isInUse };
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}
