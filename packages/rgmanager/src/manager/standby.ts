import { ByteReader, ByteWriter, type Task } from '@quorate/kernel';
import type { Locks } from '../cluster/locks.js';
import type { Members } from '../cluster/members.js';
import type { Views } from '../cluster/views.js';
import type { Runtime } from '../runtime/runtime.js';
import { Result } from '../state/result.js';

/** Name of the value under which all know who is in standby, and of the lock under which it is changed. */
export const STANDBY_KEY = 'rg_standby';

export interface StandbyParts {
  readonly runtime: Runtime;
  readonly locks: Locks;
  readonly views: Views;
  readonly members: Members;
  /** A node has gone into standby, or has come out of it. */
  readonly changed: (node: number, isStandby: boolean) => void;
}

/**
 * Which nodes are in standby: they take no services. All nodes have the list, and tell it to those who come, so that a node
 * may leave and come back as it was. A loss of quorum makes nobody forget it.
 *
 * Beyond rgmanager, which knows no such nodes.
 */
export class Standby {
  readonly #parts: StandbyParts;

  constructor(parts: StandbyParts) {
    this.#parts = parts;
  }

  /** Puts a node, which may be down, into standby or takes it out; gives a `Result`. */
  *set(node: number, isStandby: boolean): Task<number> {
    const { locks, views, members } = this.#parts;
    if (!members.nodes.some(({ id }) => id === node)) return Result.INVAL;
    const lock = yield* locks.acquire(STANDBY_KEY);
    if (lock === undefined) return Result.FAIL;
    const known = decodeStandby(yield* views.readSettled(STANDBY_KEY));
    const others = known.filter((each) => each !== node);
    const isChange = known.includes(node) !== isStandby;
    const next = encodeStandby(isStandby ? [...others, node].sort((a, b) => a - b) : others);
    const written = isChange ? yield* views.write(STANDBY_KEY, next) : 'ok';
    yield* locks.release(lock);
    return written === 'ok' ? Result.SUCCESS : Result.FAIL;
  }

  /** Takes a list for what all have agreed on. */
  resume(nodes: readonly number[]): void {
    if (nodes.length === 0) return;
    this.#parts.members.standby = nodes;
    this.#parts.views.resume(STANDBY_KEY, encodeStandby(nodes));
  }

  /** A value that all nodes have has changed. */
  onCommitted(key: string, data: Uint8Array): void {
    if (key === STANDBY_KEY) this.#take(data);
  }

  #take(data: Uint8Array): void {
    const { members, runtime, changed } = this.#parts;
    const before = members.standby;
    members.standby = decodeStandby(data);
    for (const { id, name } of members.nodes) {
      const isStandby = members.standby.includes(id);
      if (isStandby === before.includes(id)) continue;
      runtime.log('notice', `Member ${name} is ${isStandby ? 'in standby' : 'back from standby'}`);
      changed(id, isStandby);
    }
  }
}

/** Ids of the nodes, 4 bytes each, big-endian, in ascending order. */
function encodeStandby(nodes: readonly number[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(false, 4 * nodes.length);
  for (const node of nodes) writer.u32(node);
  return writer.bytes();
}

function decodeStandby(data: Uint8Array = new Uint8Array(0)): readonly number[] {
  const reader = new ByteReader(data, false);
  return Array.from({ length: Math.floor(data.length / 4) }, () => reader.u32());
}
