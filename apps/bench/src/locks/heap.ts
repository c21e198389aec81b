import { performance } from 'node:perf_hooks';
import { Dlm, type DlmInput, type DlmOutput, Mode } from '@quorate/dlm';
import { DlmNode, type Lock } from '@quorate/dlm/client';
import { MILLISECOND } from '@quorate/kernel';
import type { Locks } from './lockers.js';

const LOCKSPACE = 'bench';
const NAMES = Array.from({ length: 64 }, (_, i) => `name ${i}`);

/** Million pairs of lock and unlock a second through `Dlm.step`, on resources that this node masters. */
export function heapPairs(count: number, runs: number): number {
  const dlm = new Dlm({ nodeId: 1 });
  let casts = 0;
  const emit = (output: DlmOutput): void => {
    if (output.kind === 'cast') casts += 1;
  };
  dlm.step(0, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 32, isFs: false }, emit);
  dlm.step(0, { kind: 'start', lockspace: LOCKSPACE, members: [{ node: 1 }] }, emit);
  let now = 0;
  return best(count, runs, () => {
    now += 1;
    const name = NAMES[now % NAMES.length]!;
    dlm.step(now, { kind: 'lock', lockspace: LOCKSPACE, handle: 1, name, mode: Mode.EX, flags: 0 }, emit);
    dlm.step(now, { kind: 'unlock', lockspace: LOCKSPACE, handle: 1, flags: 0 }, emit);
    return casts === 2 * now;
  });
}

/** The same if another node in the heap is the master: four messages for each pair. */
export function heapRemotePairs(count: number, runs: number): number {
  let casts = 0;
  const wire: [to: number, input: DlmInput][] = [];
  const dlms = [1, 2].map((nodeId) => new Dlm({ nodeId, protocol: '3.1' }));
  const frames = [1, 2].map(() => new FramePool());
  const emits = [1, 2].map((node) => (output: DlmOutput): void => {
    if (output.kind === 'cast') casts += 1;
    else if (output.kind === 'packet') {
      wire.push([output.to, { kind: 'packet', from: node, bytes: frames[node - 1]!.copy(output.bytes) }]);
    }
  });
  let now = 0;
  const run = (to: number, first: DlmInput): void => {
    wire.push([to, first]);
    for (let next = wire.pop(); next !== undefined; next = wire.pop()) {
      dlms[next[0] - 1]!.step(now, next[1], emits[next[0] - 1]!);
    }
  };
  const members = [{ node: 1 }, { node: 2 }];
  for (const { node } of members) run(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 32, isFs: false });
  for (const { node } of members) run(node, { kind: 'connected', node: 3 - node });
  for (const { node } of members) run(node, { kind: 'start', lockspace: LOCKSPACE, members });
  for (; now < 100 * MILLISECOND; now += MILLISECOND) for (const { node } of members) run(node, { kind: 'wake' });
  for (const [handle, name] of NAMES.entries())
    run(2, { kind: 'lock', lockspace: LOCKSPACE, handle, name, mode: Mode.NL, flags: 0 });
  casts = 0;
  let pair = 0;
  return best(count, runs, () => {
    pair += 1;
    now += 1;
    const name = NAMES[pair % NAMES.length]!;
    run(1, { kind: 'lock', lockspace: LOCKSPACE, handle: 1, name, mode: Mode.EX, flags: 0 });
    run(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 1, flags: 0 });
    return casts === 2 * pair;
  });
}

/** Copies that are valid until as many others have been made as can be under way at once. */
class FramePool {
  readonly #bytes = new Uint8Array(64 * 4096);
  #next = 0;

  copy(packet: Uint8Array): Uint8Array {
    const at = this.#next * 4096;
    this.#next = (this.#next + 1) % 64;
    this.#bytes.set(packet, at);
    return this.#bytes.subarray(at, at + packet.length);
  }
}

/** Millions a second in the best of many short runs: one in which nobody else was on the processor. */
function best(count: number, runs: number, pair: () => boolean): number {
  let most = 0;
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    for (let i = 0; i < count; i++) if (!pair()) throw new Error('a lock that was not granted or not unlocked at once');
    most = Math.max(most, count / (performance.now() - began) / 1000);
  }
  return most;
}

/** The lock manager of a node that is alone, through its client. */
export async function loneNode(): Promise<Locks<Lock>> {
  const host = { now: () => Math.round(performance.now() * MILLISECOND), send: () => {}, wakeAt: () => {} };
  const node = new DlmNode(new Dlm({ nodeId: 1 }), host);
  const client = await node.open(LOCKSPACE, { members: [{ node: 1 }] });
  return { acquire: (name) => client.lock(name, Mode.EX), release: (lock) => lock.unlock() };
}
