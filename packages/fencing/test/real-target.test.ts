import { isErrno, type ScsiReply, SECOND, TAME_WORLD } from '@quorate/kernel';
import {
  decodeFullStatus,
  decodeKeys,
  Opcode,
  persistentReserveIn,
  ReserveIn,
  read10,
  ScsiTarget,
  SparseStore,
  Status,
  senseOf,
  testUnitReady,
  write10,
} from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import { fenceScsi } from '../src/index.js';
import { type Machine, newMachine, run } from './fake-os.js';

// fence_scsi on five machines against the SCSI target of this project: section 7 of the specification.

class SharedDisk {
  readonly #target = new ScsiTarget({
    name: 'iqn.2026-01.test:storage',
    logicalUnits: [{ lun: 0, store: new SparseStore({ blocks: 2048 }), serial: 'sdb' }],
    world: TAME_WORLD,
  });
  readonly #replies = new Map<number, ScsiReply>();
  #now = 0;
  #tag = 0;

  /** A machine logs in; with another isid it is another nexus, as after a reboot. */
  login(nexus: number, isid = nexus): void {
    const port = { name: `iqn.2026-01.test:my-vm${nexus % 10}`, isid: isid.toString(16).padStart(12, '4') };
    this.#target.step(this.#now, { kind: 'login', nexus, port }, () => {});
  }

  command(nexus: number, cdb: Uint8Array, data: Uint8Array = new Uint8Array(0)): ScsiReply {
    const tag = this.#submit(nexus, cdb, data);
    for (let reply = this.#replies.get(tag); ; reply = this.#replies.get(tag)) {
      if (reply !== undefined) return reply;
      this.#wake();
    }
  }

  /** Sends a command whose answer may never come. */
  submit(nexus: number, cdb: Uint8Array, data: Uint8Array): () => ScsiReply | undefined {
    const tag = this.#submit(nexus, cdb, data);
    return () => {
      while (this.#target.deadline() < Infinity) this.#wake();
      return this.#replies.get(tag);
    };
  }

  #submit(nexus: number, cdb: Uint8Array, data: Uint8Array): number {
    this.#tag += 1;
    this.#step({ kind: 'command', nexus, lun: 0, tag: this.#tag, cdb, data });
    return this.#tag;
  }

  #wake(): void {
    this.#now = Math.max(this.#now, this.#target.deadline());
    if (this.#now === Infinity) throw new Error('the disk does not answer');
    this.#step({ kind: 'wake' });
  }

  #step(input: Parameters<ScsiTarget['step']>[1]): void {
    this.#target.step(this.#now, input, (output) => {
      if (output.kind !== 'response') throw new Error(output.kind);
      const { tag, status, sense, data } = output;
      this.#replies.set(tag, { status, sense: sense.slice(), data: data.slice() });
    });
  }
}

const on = (id: number): string => `action=on\nnodename=my-vm${id}\nagent=fence_scsi\ndevices=/dev/sdb\n`;
const off = (id: number): string => `nodename=my-vm${id}\nagent=fence_scsi\ndevices=/dev/sdb\n`;

function node(id: number, disk: SharedDisk, nexus = id): Machine {
  const machine = newMachine(`my-vm${id}`);
  machine.programs.set('fence_scsi', fenceScsi);
  machine.programs.set('cman_tool', function* (argv, os) {
    os.print(argv[1] === 'status' ? 'Cluster Id: 25554\n' : `${argv[3]!.slice(-1)}\n`);
    return 0;
  });
  machine.scsi = (_device, cdb, data) => disk.command(nexus, cdb, data);
  return machine;
}

function unfenced(): { disk: SharedDisk; nodes: Machine[] } {
  const disk = new SharedDisk();
  const nodes = [1, 2, 3, 4, 5].map((id) => {
    disk.login(id);
    return node(id, disk);
  });
  for (const [i, machine] of nodes.entries()) expect(run(machine, 'fence_scsi', on(i + 1)).status).toBe(0);
  return { disk, nodes };
}

/** What READ FULL STATUS says to a nexus: generation, keys, and the holder's key and type. */
function statusOf(disk: SharedDisk, nexus: number): { generation: number; keys: string[]; holder: string | undefined } {
  const full = decodeFullStatus(disk.command(nexus, persistentReserveIn(ReserveIn.readFullStatus)).data)!;
  const holder = full.registrations.find((registration) => registration.isHolder);
  return {
    generation: full.generation,
    keys: full.registrations.map(({ key }) => key.toString(16)),
    holder: holder === undefined ? undefined : `${holder.key.toString(16)} type ${holder.type}`,
  };
}

describe('fence_scsi and the SCSI target', () => {
  it('five registrations, one reservation of type 5, five generations', () => {
    const { disk } = unfenced();
    expect(statusOf(disk, 1)).toEqual({
      generation: 5,
      keys: ['63d20001', '63d20002', '63d20003', '63d20004', '63d20005'],
      holder: '63d20001 type 5',
    });
  });

  it('a victim that holds nothing: one generation more, the holder stays', () => {
    const { disk, nodes } = unfenced();
    expect(run(nodes[0]!, 'fence_scsi', off(5)).status).toBe(0);
    expect(statusOf(disk, 1)).toEqual({
      generation: 6,
      keys: ['63d20001', '63d20002', '63d20003', '63d20004'],
      holder: '63d20001 type 5',
    });
  });

  it('a victim that is the holder: the fencing node becomes the holder', () => {
    const { disk, nodes } = unfenced();
    expect(run(nodes[1]!, 'fence_scsi', off(1)).status).toBe(0);
    expect(statusOf(disk, 2)).toMatchObject({ generation: 6, holder: '63d20002 type 5' });
    expect(run(nodes[2]!, 'fence_scsi', off(1)).status).toBe(0);
    expect(statusOf(disk, 2).generation).toBe(6);
  });

  it('a fenced node is told once, then cannot write, and still reads', () => {
    const { disk, nodes } = unfenced();
    expect(disk.command(5, write10(7, 1), new Uint8Array(512)).status).toBe(Status.good);
    run(nodes[0]!, 'fence_scsi', off(5));
    const attention = disk.command(5, testUnitReady());
    expect(senseOf(attention.sense)).toMatchObject({ key: 6, asc: 0x2a, ascq: 0x05 });
    expect(disk.command(5, write10(7, 1), new Uint8Array(512)).status).toBe(Status.reservationConflict);
    expect(disk.command(5, read10(7, 1)).status).toBe(Status.good);
  });

  it('a write that is under way is aborted and changes nothing', () => {
    const { disk, nodes } = unfenced();
    let late: (() => ScsiReply | undefined) | undefined;
    nodes[0]!.scsi = (_device, cdb, data) => {
      if (cdb[0] === Opcode.persistentReserveOut) late = disk.submit(5, write10(9, 1), new Uint8Array(512).fill(0xee));
      return disk.command(1, cdb, data);
    };
    expect(run(nodes[0]!, 'fence_scsi', off(5)).status).toBe(0);
    expect(late!()).toBeUndefined();
    expect(disk.command(1, read10(9, 1)).data).toEqual(new Uint8Array(512));
  });

  it('a fenced node cannot fence: it finds the key of its victim still there', () => {
    const { nodes } = unfenced();
    run(nodes[0]!, 'fence_scsi', off(2));
    expect(run(nodes[1]!, 'fence_scsi', off(1)).status).toBe(1);
  });

  it('a node that was fenced and rebooted unfences itself in a new session, unit attentions and all', () => {
    const { disk, nodes } = unfenced();
    run(nodes[0]!, 'fence_scsi', off(5));
    disk.login(15, 0x15);
    const again = node(5, disk, 15);
    expect(run(again, 'fence_scsi', on(5)).status).toBe(0);
    expect(disk.command(15, write10(7, 1), new Uint8Array(512)).status).toBe(Status.good);
    expect(decodeKeys(disk.command(15, persistentReserveIn(ReserveIn.readKeys)).data)?.generation).toBe(7);
  });

  it('of two nodes that fence each other, whoever preempts first wins', () => {
    const { disk, nodes } = unfenced();
    const first = run(nodes[1]!, 'fence_scsi', off(3));
    const second = run(nodes[2]!, 'fence_scsi', `delay=1\n${off(2)}`);
    expect([first.status, second.status]).toEqual([0, 1]);
    expect(nodes[2]!.now).toBe(SECOND);
    const reply = nodes[2]!.scsi('/dev/sdb', write10(7, 1), new Uint8Array(512));
    expect(isErrno(reply) ? reply : reply.status).toBe(Status.reservationConflict);
    expect(statusOf(disk, 2).keys).toContain('63d20002');
  });
});
