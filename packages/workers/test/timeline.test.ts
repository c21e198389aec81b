import { AssertionError } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline } from '../src/hub/timeline.js';
import { type Item, ItemReader, ItemWriter } from '../src/wire/report.js';

function replied(at: number, id: number): Item {
  return { kind: 'replied', at, id };
}

describe('the timeline', () => {
  it('orders by instant, then by worker, then as each told it', () => {
    const timeline = new Timeline(3);
    timeline.add(2, [replied(5, 20), replied(5, 21), replied(9, 22)]);
    timeline.add(0, [replied(5, 1), replied(10, 2)]);
    timeline.add(1, [replied(3, 10)]);
    const ids: number[] = [];
    for (let item = timeline.shift(); item?.kind === 'replied'; item = timeline.shift()) ids.push(item.id);
    expect(ids).toEqual([10, 1, 20, 21, 22, 2]);
    expect(timeline.deadline()).toBe(Infinity);
  });

  it('merges what comes in pieces as a sort would', () => {
    const lane = fc.array(fc.nat(100), { maxLength: 20 }).map((times) => times.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.array(lane, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 50 }), (lanes, step) => {
        const timeline = new Timeline(lanes.length);
        const merged: number[] = [];
        for (let settled = step; settled < 100 + step; settled += step) {
          lanes.forEach((times, worker) => {
            const fresh = times.filter((at) => at > settled - step && (at <= settled || settled >= 100));
            timeline.add(
              worker,
              (settled === step ? times.filter((at) => at <= settled) : fresh).map((at) => replied(at, worker)),
            );
          });
          while (timeline.deadline() <= settled) merged.push((timeline.shift() as { at: number }).at);
        }
        expect(merged).toEqual(lanes.flat().sort((a, b) => a - b));
      }),
    );
  });

  it('is told nothing of a time that was settled: that would be an effect before its cause', () => {
    const timeline = new Timeline(2);
    timeline.add(0, [replied(10, 1)]);
    timeline.shift();
    expect(() => timeline.add(1, [replied(9, 2)])).toThrow(AssertionError);
  });
});

describe('items', () => {
  it('pass as they are, without fields that are undefined', () => {
    const writer = new ItemWriter();
    const fact = { kind: 'a.b', now: 1, node: 1, life: 1, seq: 9, at: 8_589_934_592, text: 'grüß', list: [1, null] };
    writer.add({ kind: 'fact', fact: { ...fact, ...{ gone: undefined } } });
    writer.add(replied(3, 0x8000_0001));
    const items = writer.take()!;
    expect([...new ItemReader().read(items)]).toEqual([{ kind: 'fact', fact }, replied(3, 0x8000_0001)]);
    expect(writer.take()).toBeUndefined();
  });
});
