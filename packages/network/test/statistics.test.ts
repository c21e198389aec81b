import { type Nanos, SeededWorld } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type LinkParameters, type LinkPreset, linkPreset } from '../src/index.js';
import { Wire } from './wire.js';

const FRAMES = 100_000;
const GAP: Nanos = 10_000;
const US = 1_000;
const MS = 1_000_000;

interface Sample {
  readonly latencies: readonly Nanos[];
  readonly labels: readonly number[];
  readonly duration: Nanos;
}

/** Sends 10^5 frames of 100 bytes one after the other over one link. */
function sample(link: LinkPreset | Partial<LinkParameters>, gap = GAP, seed = 1): Sample {
  const wire = new Wire(new SeededWorld({ hi: 0, lo: seed }), { nics: 2, link });
  for (let label = 0; label < FRAMES; label++) {
    wire.until(label * gap);
    wire.send(1, 2, 100, label);
  }
  wire.drain();
  return {
    latencies: wire.arrivals.map(({ label, at }) => at - label * gap),
    labels: wire.arrivals.map(({ label }) => label),
    duration: wire.arrivals.at(-1)!.at,
  };
}

/** Whether `count` of `n` is within three standard deviations of the probability. */
function expectShare(count: number, n: number, probability: number): void {
  const sigma = Math.sqrt(n * probability * (1 - probability));
  expect(Math.abs(count - n * probability), `${count} of ${n}, expected ${n * probability}`).toBeLessThan(3 * sigma);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const inversions = (labels: readonly number[]): number =>
  labels.filter((label, i) => i > 0 && label < labels[i - 1]!).length;

describe('over 100 000 frames', () => {
  it('a link without faults delivers every frame once and in order', () => {
    const { labels } = sample('lan');
    expect(labels).toHaveLength(FRAMES);
    expect(inversions(labels)).toBe(0);
  });

  it('the latency of a frame that waits for none before it is 50 us, 0.8 us to send it and 30 us more in the mean', () => {
    const { latencies } = sample({}, 2 * MS);
    const sigma = (30 * US) / Math.sqrt(FRAMES);
    expect(Math.abs(mean(latencies) - 80.8 * US)).toBeLessThan(3 * sigma);
    expect(Math.min(...latencies.slice(0, 1000))).toBeGreaterThanOrEqual(50.8 * US);
  });

  it('a saturated link delivers at its bandwidth', () => {
    const { duration, labels } = sample({ bandwidth: 1e8, queueFrames: 100_000 }, 7000);
    const bitsPerSecond = (labels.length * 800) / (duration / 1e9);
    expect(labels).toHaveLength(FRAMES);
    expect(Math.abs(bitsPerSecond / 1e8 - 1)).toBeLessThan(0.001);
  });

  it.each([0.001, 0.05, 0.3])('loss %d', (loss) => {
    const { labels } = sample({ loss });
    expectShare(FRAMES - labels.length, FRAMES, loss);
    expect(inversions(labels)).toBe(0);
  });

  it('duplication: a further copy with p, one more with p again', () => {
    const { labels } = sample({ duplicate: 0.2 });
    const copies = new Map<number, number>();
    for (const label of labels) copies.set(label, (copies.get(label) ?? 0) + 1);
    const count = (n: number): number => [...copies.values()].filter((times) => times >= n).length;
    expectShare(count(2), FRAMES, 0.2);
    expectShare(count(3), FRAMES, 0.04);
    expectShare(count(4), FRAMES, 0.008);
    expect(count(5)).toBe(0);
    expect(inversions(labels)).toBe(0);
  });

  it('reordering: so many are overtaken, and only those', () => {
    const { labels, latencies } = sample({ reorder: 0.1, reorderDelay: 10 * MS, extraLatency: 0 });
    const late = latencies.filter((latency) => latency > 51 * US).length;
    // One in 200 of the delayed is delayed by less than the 50 us counted as late here.
    expectShare(late, FRAMES, 0.1 * (1 - (0.2 * US) / (10 * MS)));
    const inOrder = labels.filter((_, i) => latencies[i]! <= 51 * US);
    expect(inversions(inOrder)).toBe(0);
    expect(inversions(labels)).toBeGreaterThan(5000);
  });

  it('bursts: the share of the bad state and the length of a burst follow the two probabilities', () => {
    const { labels } = sample({ burstStart: 0.01, burstEnd: 0.2, burstLoss: 1 });
    const lost = FRAMES - labels.length;
    // Bad for start / (start + end) of the time; neighbours are correlated, so sigma is about three times wider.
    expect(Math.abs(lost / FRAMES - 0.01 / 0.21)).toBeLessThan(0.006);
    const bursts = labels.filter((label, i) => label !== (labels[i - 1] ?? -1) + 1).length;
    expect(Math.abs(lost / bursts - 5)).toBeLessThan(0.4);
  });

  it('the virtual switch stalls one frame in a thousand for 10 ms', () => {
    const { latencies } = sample('hyperv-vswitch', 20 * MS);
    expectShare(latencies.filter((latency) => latency > 10 * MS).length, FRAMES, 0.001);
  });

  it('the wide area has a long tail: mean 2 ms over the base, one in 100 more than nine times that', () => {
    const { latencies } = sample('wan', 2000 * MS);
    const extra = latencies.map((latency) => latency - 40 * MS - 8 * US);
    expect(Math.abs(mean(extra) - 2 * MS)).toBeLessThan(0.15 * MS);
    expectShare(extra.filter((latency) => latency > 18 * MS).length, FRAMES, 0.01);
    expect(Math.max(...extra.slice(0, 50_000))).toBeLessThanOrEqual(1000 * MS);
  });

  it.each(['loopback', 'lan', 'lan-congested', 'hyperv-vswitch', 'metro', 'wan'] as const)(
    'the preset %s keeps its base latency and its order',
    (name) => {
      const wire = new Wire(new SeededWorld({ hi: 0, lo: 3 }), { nics: 2, link: name });
      for (let label = 0; label < 2000; label++) {
        wire.until(label * 100 * US);
        wire.send(1, 2, 100, label);
      }
      wire.drain();
      const { baseLatency } = linkPreset(name);
      expect(wire.arrivals.every(({ label, at }) => at - label * 100 * US > baseLatency)).toBe(true);
      expect(inversions(wire.arrivals.map(({ label }) => label))).toBe(0);
    },
  );
});
