import { performance } from 'node:perf_hooks';
import { Dlm, type DlmInput, type DlmOutput, Mode } from '@quorate/dlm';
import { MILLISECOND } from '@quorate/kernel';
import type { Figure } from '../figures.js';

const LOCKSPACE = 'bench';
const LOCKS = 100_000;
const RUNS = 5;
const MASTER = 3;
const SURVIVORS = [1, 2];
const BUFFER_BYTES = 16_384;
/** Twice what the polls of all barriers take. */
const BARRIERS_MS = 50;

/** A run of packets from one node to another, as a thread would send it. */
interface Batch {
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** Three lock managers in this thread; what one says in a step to another goes out in buffers of 16 KiB. */
class HeapNodes {
  readonly #dlms = new Map([...SURVIVORS, MASTER].map((nodeId) => [nodeId, new Dlm({ nodeId, protocol: '3.1' })]));
  readonly #inboxes = new Map([...this.#dlms.keys()].map((nodeId): [number, Batch[]] => [nodeId, []]));
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #length = 0;
  #to = 0;
  #now = 0;
  casts = 0;

  step(nodeId: number, input: DlmInput): void {
    const emit = (output: DlmOutput): void => {
      if (output.kind === 'cast') this.casts += 1;
      else if (output.kind === 'packet') this.#put(nodeId, output.to, output.bytes);
    };
    this.#dlms.get(nodeId)?.step(this.#now, input, emit);
    this.#post(nodeId);
  }

  #put(from: number, to: number, bytes: Uint8Array): void {
    if (to !== this.#to || this.#length + bytes.length > BUFFER_BYTES) this.#post(from);
    this.#to = to;
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #post(from: number): void {
    if (this.#length > 0) this.#inboxes.get(this.#to)?.push({ from, bytes: this.#buffer.slice(0, this.#length) });
    this.#length = 0;
  }

  /** Until nothing is under way. */
  deliver(): void {
    for (let isQuiet = false; !isQuiet; ) {
      isQuiet = true;
      for (const [nodeId, inbox] of this.#inboxes) {
        for (const { from, bytes } of inbox.splice(0)) {
          isQuiet = false;
          this.step(nodeId, { kind: 'packet', from, bytes });
        }
      }
    }
  }

  passBarriers(): void {
    for (let ms = 0; ms < BARRIERS_MS; ms++) {
      this.#now += MILLISECOND;
      for (const nodeId of this.#dlms.keys()) this.step(nodeId, { kind: 'wake' });
      this.deliver();
    }
  }

  kill(nodeId: number): void {
    this.#dlms.delete(nodeId);
    this.#inboxes.delete(nodeId);
  }
}

/** Seconds in which two nodes that have half of the locks each, on the same names, recover from the loss of the master of all. */
function recoverySeconds(): number {
  const nodes = new HeapNodes();
  const all = [MASTER, ...SURVIVORS];
  const start = (ids: readonly number[]): void => {
    const members = ids.map((node) => ({ node }));
    for (const nodeId of ids) nodes.step(nodeId, { kind: 'start', lockspace: LOCKSPACE, members });
    nodes.deliver();
    nodes.passBarriers();
  };
  for (const nodeId of all) {
    nodes.step(nodeId, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 32, isFs: false });
    for (const node of all) if (node !== nodeId) nodes.step(nodeId, { kind: 'connected', node });
  }
  start(all);
  for (const nodeId of all) lockAll(nodes, nodeId);
  nodes.kill(MASTER);
  const began = performance.now();
  for (const nodeId of SURVIVORS) nodes.step(nodeId, { kind: 'stop', lockspace: LOCKSPACE });
  start(SURVIVORS);
  const seconds = (performance.now() - began) / 1000;
  lockAll(nodes, SURVIVORS[0]!, 1, LOCKS);
  if (nodes.casts !== 1.5 * LOCKS + 1) throw new Error(`${nodes.casts} completions of ${1.5 * LOCKS + 1} calls`);
  return seconds;
}

function lockAll(nodes: HeapNodes, nodeId: number, count = LOCKS / 2, from = 0): void {
  const mode = nodeId === MASTER ? Mode.NL : Mode.CR;
  for (let handle = from; handle < from + count; handle++) {
    const name = `kept ${handle}`;
    nodes.step(nodeId, { kind: 'lock', lockspace: LOCKSPACE, handle, name, mode, flags: 0 });
    if (handle % 64 === 0) nodes.deliver();
  }
  nodes.deliver();
}

/** Without threads: what others do on the machine disturbs it less. `calibration`: million pairs a second of the event queue. */
export function heapRecoveryFigures(calibration: number): readonly Figure[] {
  const first = recoverySeconds();
  const best = Math.min(...Array.from({ length: RUNS }, recoverySeconds));
  const name = `recovery of ${LOCKS / 1000},000 locks, both nodes`;
  return [
    { name: `${name}, the first`, value: first, unit: 's' },
    { name: `${name}, best of ${RUNS}`, value: best, unit: 's' },
    { name: 'million pairs of the calibration meanwhile', value: best * calibration, unit: '' },
  ];
}
