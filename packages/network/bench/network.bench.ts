import { EventQueue, SeededWorld } from '@quorate/kernel';
import { bench, describe } from 'vitest';
import { encodeEthernet, type LinkParameters, Network } from '../src/index.js';

/** Operations of one iteration: what the table calls `hz` times this is operations per second. */
const BATCH = 10_000;
const OPTIONS = { time: 1500, warmupTime: 500 };

const macOf = (nic: number): number => 0x0200_0000_0000 + nic;
const text = (nic: number): string => `02:00:00:00:00:0${nic}`;

/** A network of five cards whose clock and frames are its own; gives the number of frames delivered. */
function segment(link: Partial<LinkParameters>, isMulticast: boolean): () => number {
  const network = new Network({
    nics: [1, 2, 3, 4, 5].map((nic) => ({ nic, mac: text(nic) })),
    world: new SeededWorld({ hi: 0, lo: 1 }),
    link,
  });
  const frames = [1, 2, 3, 4, 5].map((nic) => {
    const bytes = new Uint8Array(100);
    encodeEthernet(bytes, isMulticast ? 0x0100_5e40_6336 : macOf((nic % 5) + 1), macOf(nic), 0x0800);
    return { kind: 'send', nic, bytes } as const;
  });
  const wake = { kind: 'wake' } as const;
  let now = 0;
  let delivered = 0;
  const count = (output: { readonly kind: string }): void => {
    if (output.kind === 'deliver') delivered += 1;
  };
  return () => {
    const before = delivered;
    for (let i = 0; delivered - before < BATCH; i++) {
      now += 5_000;
      network.step(now, frames[i % 5]!, count);
      while (network.deadline() <= now) network.step(now, wake, count);
    }
    return delivered - before;
  };
}

/** The calibration loop of the simulation specification, section 19: a 4-ary heap that holds 32 events. */
function heap(): () => number {
  const queue = new EventQueue();
  for (let i = 0; i < 32; i++) queue.push(i, i, i);
  let order = 32;
  return () => {
    for (let i = 0; i < BATCH; i++) {
      const time = queue.time;
      const slot = queue.pop();
      queue.push(time + 1 + ((order * 7919) % 64), order, slot);
      order += 1;
    }
    return BATCH;
  };
}

/** Checks once that the answer is right, then times it. */
function time(name: string, run: () => number): void {
  if (run() < BATCH) throw new Error(`${name}: too few operations`);
  bench(`${name}, x ${BATCH}`, () => void run(), OPTIONS);
}

describe('frames of 100 bytes delivered, with random streams and without observers', () => {
  time('calibration: heap pop and push, N = 32', heap());
  time('unicast, lan', segment({}, false));
  time('multicast to four, lan', segment({}, true));
  time(
    'unicast, every fault on',
    segment({ loss: 0.05, duplicate: 0.05, corrupt: 0.01, reorder: 0.05, reorderDelay: 1e6 }, false),
  );
});
