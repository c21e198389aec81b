import {
  decodeKeys,
  decodeReservation,
  persistentReserveOut,
  ReserveIn,
  ReserveOut,
  SenseKey,
  SparseStore,
  Status,
  testUnitReady,
  write10,
} from '@quorate/scsi';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectIscsi, type IscsiDisk, IscsiServer } from '../src/node/index.js';
import { TARGET } from './rig.js';

/** Write Exclusive, Registrants Only: what fence_scsi always takes. */
const TYPE = 5;
/** Cluster id and node id, as fence_scsi makes them. */
const keyOf = (node: number): bigint => 0x63d2_0000n + BigInt(node);
const NODES = [1, 2, 3];

let server: IscsiServer;
let url: string;
let store: SparseStore;
let disks: readonly IscsiDisk[] = [];

beforeAll(async () => {
  store = new SparseStore({ blocks: 4096 });
  server = new IscsiServer({
    port: 0,
    targets: [{ name: TARGET, logicalUnits: [{ lun: 0, serial: 'FENCE-1', store }] }],
  });
  const { port } = await server.listen();
  url = `iscsi://127.0.0.1:${port}/${TARGET}/0`;
});
afterAll(() => server.close());

function login(node: number): Promise<IscsiDisk> {
  return connectIscsi(url, { initiator: `iqn.2024-01.lab:my-vm${node}`, isid: `40000000000${node}` });
}

const disk = (node: number): IscsiDisk => disks[node - 1]!;

beforeEach(async () => {
  await Promise.all(disks.map((each) => each.close()));
  disks = await Promise.all(NODES.map(login));
  await Promise.all(NODES.map(turs));
});

/** `sg_turs`: takes a unit attention, and does not look at the result. */
async function turs(node: number): Promise<void> {
  await disk(node).execute(testUnitReady());
}

async function keys(node: number): Promise<readonly bigint[]> {
  return decodeKeys(await disk(node).persistentReserveIn(ReserveIn.readKeys))!.keys;
}

async function holderKey(node: number): Promise<bigint | undefined> {
  return decodeReservation(await disk(node).persistentReserveIn(ReserveIn.readReservation))!.reservation?.key;
}

/** The sequence `on`: whether the node is unfenced. */
async function on(node: number): Promise<boolean> {
  const key = keyOf(node);
  await turs(node);
  await disk(node).persistentReserveOut(persistentReserveOut(ReserveOut.registerAndIgnoreExistingKey, 0, 0n, key));
  if ((await holderKey(node)) === undefined) {
    const { cdb, data } = persistentReserveOut(ReserveOut.reserve, TYPE, key, 0n);
    const { status } = await disk(node).execute(cdb, 0, data);
    // Another node may have won the race.
    if (status !== Status.good && (await holderKey(node)) === undefined) return false;
  }
  return (await keys(node)).includes(key) && (await holderKey(node)) !== undefined;
}

/** The sequence `off` on a node that survives: whether the victim is fenced. */
async function off(node: number, victim: number): Promise<boolean> {
  await turs(node);
  if ((await keys(node)).includes(keyOf(victim))) {
    await disk(node).persistentReserveOut(
      persistentReserveOut(ReserveOut.preemptAndAbort, TYPE, keyOf(node), keyOf(victim)),
    );
  }
  return !(await keys(node)).includes(keyOf(victim)) && (await holderKey(node)) !== undefined;
}

function write(node: number, lba: number): Promise<{ readonly status: number; readonly senseKey: number | undefined }> {
  return disk(node)
    .execute(write10(lba, 1), 0, new Uint8Array(512).fill(node))
    .then(({ status, sense }) => ({ status, senseKey: sense?.key }));
}

it('all nodes unfence themselves at once: each is registered, one holds the reservation, all write', async () => {
  expect(await Promise.all(NODES.map(on))).toEqual([true, true, true]);
  expect([...(await keys(1))].sort()).toEqual(NODES.map(keyOf));
  const written = await Promise.all(NODES.map((node) => write(node, node)));
  expect(written.map(({ status }) => status)).toEqual([0, 0, 0]);
});

it.each([1, 2, 3])(
  'two nodes fence node %i at once: it reads, and writes no more until it unfences itself',
  async (victim) => {
    await Promise.all(NODES.map(on));
    const others = NODES.filter((node) => node !== victim);
    const results = await Promise.allSettled(others.map((node) => off(node, victim)));
    // The second one may find the key gone between its look and its PREEMPT: it fails then, and a look shows the victim fenced.
    expect(results.some((result) => result.status === 'fulfilled' && result.value)).toBe(true);
    expect((await keys(others[0]!)).length).toBe(2);
    expect(others.map(keyOf)).toContain(await holderKey(others[0]!));
    // It learns first what happened to it, then it conflicts.
    expect(await write(victim, 100 + victim)).toEqual({
      status: Status.checkCondition,
      senseKey: SenseKey.unitAttention,
    });
    expect(await write(victim, 100 + victim)).toEqual({ status: Status.reservationConflict, senseKey: undefined });
    const block = new Uint8Array(512);
    store.read(100 + victim, 1, block);
    expect(block[0]).toBe(0);
    expect((await disk(victim).read(0, 1)).length).toBe(512);
    for (const node of others) expect((await write(node, 200 + node)).status).toBe(0);
    expect(await on(victim)).toBe(true);
    expect((await write(victim, 100 + victim)).status).toBe(0);
  },
);

it('writes of the victim that are on their way when it is fenced never arrive after the fencing is done', async () => {
  await Promise.all(NODES.map(on));
  const writes = Array.from({ length: 200 }, (_, i) => write(3, 1000 + i));
  const fenced = off(1, 3);
  expect(await fenced).toBe(true);
  const before = contentOf(1000, 200);
  await Promise.allSettled(writes);
  expect(contentOf(1000, 200)).toEqual(before);
});

it('a node that comes back with another session identifier is another nexus, and registers anew', async () => {
  await Promise.all(NODES.map(on));
  const again = await connectIscsi(url, { initiator: 'iqn.2024-01.lab:my-vm2', isid: '400000000099' });
  await again.execute(testUnitReady());
  const { status } = await again.execute(write10(300, 1), 0, new Uint8Array(512));
  expect(status).toBe(Status.reservationConflict);
  await again.close();
  // The registration of the old session waits for it.
  await disk(2).close();
  const old = await login(2);
  await old.execute(testUnitReady());
  expect((await old.execute(write10(300, 1), 0, new Uint8Array(512))).status).toBe(0);
  disks = disks.map((each, i) => (i === 1 ? old : each));
});

function contentOf(lba: number, blocks: number): Uint8Array {
  const bytes = new Uint8Array(blocks * 512);
  store.read(lba, blocks, bytes);
  return bytes;
}
