import type { Figure } from '../figures.js';
import { mutexLocks } from './alternatives.js';
import { heapPairs, heapRemotePairs, loneNode } from './heap.js';
import { latency, median, quantile } from './lockers.js';

const ROUNDS = 9;
const WARM_UP_ROUNDS = 2;
const PAIRS = 50_000;

/** Through `Dlm.step`, without clients. */
export function heapFigures(): readonly Figure[] {
  return [
    {
      name: 'lock and unlock through Dlm.step',
      value: heapPairs(10_000, 200),
      unit: 'M pairs/s',
      bar: { atLeast: 1.5 },
    },
    { name: 'the same, mastered by a second Dlm', value: heapRemotePairs(1000, 600), unit: 'M pairs/s' },
  ];
}

/** Without contention in one thread, by turns, so that a busy moment hits both. */
export async function localFigures(): Promise<readonly Figure[]> {
  const names = Array.from({ length: 64 }, (_, i) => `own ${i}`);
  const [ours, theirs] = [await loneNode(), mutexLocks()];
  const rounds: { readonly ours: Float64Array; readonly theirs: Float64Array }[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    const pairs = {
      ours: (await latency(ours, names, PAIRS)).pair,
      theirs: (await latency(theirs, names, PAIRS)).pair,
    };
    if (round >= WARM_UP_ROUNDS) rounds.push(pairs);
  }
  const at = (who: 'ours' | 'theirs', share: number): number =>
    median(rounds.map((round) => quantile(round[who], share)));
  const ratio = median(rounds.map((round) => quantile(round.ours, 0.5) / quantile(round.theirs, 0.5)));
  return [
    { name: 'async-mutex, acquire and release, p50', value: at('theirs', 0.5), unit: 'µs' },
    { name: 'ours, local master, acquire and release, p50', value: at('ours', 0.5), unit: 'µs' },
    { name: 'ours by async-mutex', value: ratio, unit: '', bar: { atMost: 1.1 } },
    { name: 'async-mutex, p99', value: at('theirs', 0.99), unit: 'µs' },
    { name: 'ours, p99', value: at('ours', 0.99), unit: 'µs' },
  ];
}
