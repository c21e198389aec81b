import { IscsiInitiator, type IscsiInitiatorInput, IscsiTarget, type IscsiTargetInput } from '@quorate/iscsi';
import { concatBytes, MILLISECOND, TAME_WORLD } from '@quorate/kernel';
import {
  compareAndWrite,
  IMMEDIATE_SERVICE,
  inquiry,
  modeSense10,
  type OutCommand,
  persistentReserveIn,
  persistentReserveOut,
  ReserveIn,
  ReserveOut,
  read10,
  read16,
  readCapacity10,
  readCapacity16,
  reportLuns,
  requestSense,
  SparseStore,
  synchronizeCache10,
  testUnitReady,
  unmap,
  write10,
  write16,
  writeSame16,
} from '@quorate/scsi';
import { TrafficCapture } from '@quorate/trace';

const TARGET = 'iqn.2024-01.lab:disks';
const PORTAL = { address: '10.0.0.250', port: 3260 };
const BLOCK_BYTES = 512;
const BHS_BYTES = 48;

/** A command of one of the nodes. */
export interface Step extends Partial<OutCommand> {
  /** Which node sends it. */
  readonly node: 1 | 2;
  readonly cdb: Uint8Array<ArrayBuffer>;
  readonly dataIn?: number;
}

/** Write Exclusive, Registrants Only. */
const TYPE = 5;

/** What two nodes do to a disk: look at it, write and read it, reserve it, and one takes the reservation from the other. */
export function steps(): readonly Step[] {
  const inOf = (cdb: Uint8Array, dataIn: number): Step => ({ node: 1, cdb: cdb as Uint8Array<ArrayBuffer>, dataIn });
  const outOf = ({ cdb, data }: OutCommand, node: 1 | 2 = 1): Step => ({ node, cdb, data });
  const blocks = (count: number): Uint8Array<ArrayBuffer> => new Uint8Array(count * BLOCK_BYTES).fill(0x61);
  const reserve = (node: 1 | 2, action: ReserveOut, type: number, key: bigint, other: bigint): Step =>
    outOf(persistentReserveOut(action, type, key, other), node);
  const written = (cdb: Uint8Array, count: number): Step =>
    outOf({ cdb: cdb as Uint8Array<ArrayBuffer>, data: blocks(count) });
  return [
    // Each node takes the unit attention of its new nexus.
    { node: 1, cdb: testUnitReady() },
    { node: 2, cdb: testUnitReady() },
    inOf(inquiry(), 255),
    ...[0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2].map((page) => inOf(inquiry(page), 255)),
    inOf(reportLuns(), 8192),
    inOf(readCapacity10(), 8),
    inOf(readCapacity16(), 32),
    inOf(modeSense10(0x3f), 1024),
    inOf(requestSense(), 252),
    written(write10(0, 8), 8),
    // More than a first burst: the rest is asked for with R2T.
    written(write16(64, 1024), 1024),
    inOf(read10(0, 8), 4096),
    inOf(read16(64, 1024), 1024 * BLOCK_BYTES),
    outOf(writeSame16(0, 64, blocks(1))),
    outOf(compareAndWrite(0, blocks(1), new Uint8Array(BLOCK_BYTES), BLOCK_BYTES)),
    outOf(unmap([{ lba: 8, blocks: 8 }])),
    { node: 1, cdb: synchronizeCache10() as Uint8Array<ArrayBuffer> },
    reserve(1, ReserveOut.registerAndIgnoreExistingKey, 0, 0n, 0x63d2_0001n),
    reserve(2, ReserveOut.registerAndIgnoreExistingKey, 0, 0n, 0x63d2_0002n),
    reserve(2, ReserveOut.reserve, TYPE, 0x63d2_0002n, 0n),
    inOf(persistentReserveIn(ReserveIn.readKeys), 8192),
    inOf(persistentReserveIn(ReserveIn.readReservation), 8192),
    inOf(persistentReserveIn(ReserveIn.reportCapabilities), 8192),
    inOf(persistentReserveIn(ReserveIn.readFullStatus), 8192),
    reserve(1, ReserveOut.preemptAndAbort, TYPE, 0x63d2_0001n, 0x63d2_0002n),
    // The attention of who lost its registration, a conflict, an opcode that is none, and a range behind the end.
    { node: 2, cdb: testUnitReady() },
    { node: 2, cdb: write10(0, 8) as Uint8Array<ArrayBuffer>, data: blocks(8) },
    { node: 1, cdb: Uint8Array.of(0xd0, 0, 0, 0, 0, 0) },
    inOf(read10(0xffff_0000, 8), 4096),
  ];
}

/** Cuts what one end sends, without digests, into PDUs. */
class PduStream {
  #kept: Uint8Array = new Uint8Array(0);

  /** Opcodes of the PDUs that are whole with these bytes. */
  push(bytes: Uint8Array): readonly number[] {
    const all = concatBytes(this.#kept, bytes);
    const opcodes: number[] = [];
    let at = 0;
    while (all.length - at >= BHS_BYTES) {
      const data = (all[at + 5]! << 16) | (all[at + 6]! << 8) | all[at + 7]!;
      const length = BHS_BYTES + 4 * all[at + 4]! + ((data + 3) & ~3);
      if (at + length > all.length) break;
      opcodes.push(all[at]! & 0x3f);
      at += length;
    }
    this.#kept = all.slice(at);
    return opcodes;
  }
}

export interface Session {
  /** Opcodes of all PDUs, in their order. */
  readonly pdus: readonly number[];
  readonly statuses: readonly number[];
}

/** Both nodes log in, do their steps in turn and log out; captured to `sink`. */
export function runSession(sink: (bytes: Uint8Array) => void): Session {
  const capture = new TrafficCapture(sink);
  const store = new SparseStore({ blocks: 65_536 });
  const logicalUnits = [{ lun: 0, serial: 'SHARED-1', store, isThin: true, service: IMMEDIATE_SERVICE }];
  const target = new IscsiTarget({ targets: [{ name: TARGET, logicalUnits }], world: TAME_WORLD });
  const pdus: number[] = [];
  const statuses: number[] = [];
  const inputs: (() => void)[] = [];
  let now = 0;
  const nodes = [1, 2].map((node) => {
    const remote = { address: `10.0.0.${node}`, port: 40_000 + node };
    const initiator = new IscsiInitiator({
      initiator: `iqn.2024-01.lab:my-vm${node}`,
      isid: `40000000000${node}`,
      target: TARGET,
      world: TAME_WORLD,
      // So that a command takes data of all three kinds.
      wishes: { firstBurstLength: 16_384, maxBurstLength: 65_536, maxRecvDataSegmentLength: 65_536 },
    });
    const connection = capture.connect(0, remote, PORTAL);
    return { node, initiator, remote, connection, requests: new PduStream(), answers: new PduStream() };
  });
  const toTarget = (input: IscsiTargetInput): void =>
    target.step(now, input, (output) => {
      if (output.kind !== 'send') return;
      const { connection, bytes: lent } = output;
      const bytes = lent.slice();
      const to = nodes[connection - 1]!;
      inputs.push(() => {
        pdus.push(...to.answers.push(bytes));
        to.connection.sent(now, 'server', bytes);
        toTarget({ kind: 'sent', connection, bytes: bytes.length });
        toInitiator(to.node, { kind: 'received', bytes });
      });
    });
  const toInitiator = (node: number, input: IscsiInitiatorInput): void =>
    nodes[node - 1]!.initiator.step(now, input, (output) => {
      if (output.kind === 'response') statuses.push(output.status);
      if (output.kind === 'close') nodes[node - 1]!.connection.close(now, 'client');
      if (output.kind !== 'send') return;
      const bytes = output.bytes.slice();
      inputs.push(() => {
        pdus.push(...nodes[node - 1]!.requests.push(bytes));
        nodes[node - 1]!.connection.sent(now, 'client', bytes);
        toTarget({ kind: 'received', connection: node, bytes });
      });
    });
  const settle = (): void => {
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) input();
    now += MILLISECOND;
  };

  for (const { node, remote } of nodes) {
    const text = `${remote.address}:${remote.port}`;
    toTarget({ kind: 'connected', connection: node, remote: text, local: '10.0.0.250:3260' });
    toInitiator(node, { kind: 'connected' });
    settle();
  }
  for (const [id, { node, cdb, data, dataIn }] of steps().entries()) {
    toInitiator(node, {
      kind: 'command',
      id,
      lun: 0,
      cdb,
      ...(data && { dataOut: data }),
      ...(dataIn !== undefined && { dataInLength: dataIn }),
    });
    settle();
  }
  toInitiator(1, { kind: 'task-management', id: 1, function: 'lun-reset', lun: 0 });
  settle();
  for (const { node } of nodes) {
    toInitiator(node, { kind: 'logout' });
    settle();
  }
  return { pdus, statuses };
}
