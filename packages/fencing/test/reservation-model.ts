// The least of a disk with persistent reservations that fence_scsi can be tried on: one registration per node.
import type { ScsiReply } from '@quorate/kernel';
import { viewOf } from '@quorate/kernel';

const GOOD = 0;
const CONFLICT = 0x18;

export class ReservationModel {
  generation = 0;
  readonly registrations = new Map<string, bigint>();
  holder: string | undefined;
  /** Commands as they came: `node: name`. */
  readonly trace: string[] = [];
  /** Unit attentions that wait for a node. */
  readonly attentions = new Map<string, number>();
  /** Commands that fail although they should not, by name. */
  readonly failing = new Set<string>();

  command(node: string, cdb: Uint8Array, data: Uint8Array): ScsiReply {
    const name = nameOf(cdb);
    const waiting = this.attentions.get(node) ?? 0;
    if (waiting > 0) {
      this.attentions.set(node, waiting - 1);
      return {
        status: 2,
        sense: new Uint8Array([0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x2a, 0x05, 0, 0, 0, 0]),
        data: empty,
      };
    }
    if (name !== 'TEST UNIT READY') this.trace.push(`${node}: ${name}`);
    if (this.failing.has(name)) return reply(CONFLICT);
    switch (name) {
      case 'TEST UNIT READY':
        return reply(GOOD);
      case 'READ KEYS':
        return reply(GOOD, this.#keys());
      case 'READ RESERVATION':
        return reply(GOOD, this.#reservation());
      default:
        return reply(this.#out(node, cdb[1]!, viewOf(data)));
    }
  }

  #out(node: string, action: number, view: DataView): number {
    const key = view.getBigUint64(0);
    const serviceActionKey = view.getBigUint64(8);
    if (action === 6) {
      this.registrations.set(node, serviceActionKey);
      this.generation += 1;
      return GOOD;
    }
    if (this.registrations.get(node) !== key) return CONFLICT;
    if (action === 1) {
      this.holder ??= node;
      return this.holder === node ? GOOD : CONFLICT;
    }
    return this.#preempt(node, serviceActionKey);
  }

  #preempt(node: string, victimKey: bigint): number {
    const victims = [...this.registrations].filter(([, key]) => key === victimKey).map(([victim]) => victim);
    if (victims.length === 0) return CONFLICT;
    for (const victim of victims) {
      this.registrations.delete(victim);
      this.attentions.set(victim, 1);
      if (this.holder === victim) this.holder = node;
    }
    this.generation += 1;
    return GOOD;
  }

  #keys(): Uint8Array {
    const data = new Uint8Array(8 + 8 * this.registrations.size);
    const view = viewOf(data);
    view.setUint32(0, this.generation);
    view.setUint32(4, data.length - 8);
    [...this.registrations.values()].forEach((key, i) => {
      view.setBigUint64(8 + 8 * i, key);
    });
    return data;
  }

  #reservation(): Uint8Array {
    const data = new Uint8Array(this.holder === undefined ? 8 : 24);
    const view = viewOf(data);
    view.setUint32(0, this.generation);
    if (this.holder === undefined) return data;
    view.setUint32(4, 16);
    view.setBigUint64(8, this.registrations.get(this.holder)!);
    data[21] = 5;
    return data;
  }
}

const empty = new Uint8Array(0);

function reply(status: number, data: Uint8Array = empty): ScsiReply {
  return { status, sense: empty, data };
}

function nameOf(cdb: Uint8Array): string {
  if (cdb[0] === 0) return 'TEST UNIT READY';
  if (cdb[0] === 0x5e) return cdb[1] === 0 ? 'READ KEYS' : 'READ RESERVATION';
  const names: Record<number, string> = { 1: 'RESERVE', 5: 'PREEMPT AND ABORT', 6: 'REGISTER AND IGNORE EXISTING KEY' };
  return `${names[cdb[1]!]} type ${cdb[2]! & 15}`;
}
