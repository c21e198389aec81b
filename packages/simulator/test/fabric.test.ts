import { type Choices, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { Fabric } from '../src/fabric.js';

/** A world that answers what it is told to. */
function fabricOf(...answers: number[]): Fabric {
  const choices: Choices = { choose: () => answers.shift() ?? 0, happens: () => false, exponential: () => 0 };
  return new Fabric(() => choices);
}

const CDB = new Uint8Array([0x2a]);

/** Tags of what has arrived by then. */
function arrivals(fabric: Fabric, now: number): number[] {
  const tags: number[] = [];
  for (let next = fabric.arrived(now); next !== undefined; next = fabric.arrived(now)) tags.push(next.tag);
  return tags;
}

describe('the way to the disks', () => {
  it('brings commands in their order, and keeps what they were lent', () => {
    const fabric = fabricOf();
    const data = new Uint8Array([1]);
    fabric.send(0, 1, 0, 7, CDB, data);
    data[0] = 2;
    fabric.send(0, 2, 0, 8, CDB, data);
    fabric.send(1000, 1, 0, 9, CDB, data);
    expect(arrivals(fabric, fabric.deadline() - 1)).toEqual([]);
    expect(fabric.arrived(5000)).toMatchObject({ tag: 7, data: new Uint8Array([1]) });
    expect(arrivals(fabric, SECOND)).toEqual([8, 9]);
    expect(fabric.deadline()).toBe(Infinity);
  });

  it.each([
    ['lost in a tame world', [], [8], []],
    ['late in another, but no later than 5 s', [1, 49], [8], [7]],
    ['each by its own choice', [0, 1, 0], [8], [9]],
  ])("a crashed machine's commands are %s; others arrive", (_, answers, soon, late) => {
    const fabric = fabricOf(...answers);
    fabric.send(0, 1, 0, 7, CDB, CDB);
    fabric.send(0, 2, 0, 8, CDB, CDB);
    if (answers.length !== 2) fabric.send(0, 1, 0, 9, CDB, CDB);
    fabric.lose(1000, 1);
    expect(arrivals(fabric, 6000)).toEqual(soon);
    expect(arrivals(fabric, 5 * SECOND + 1000)).toEqual(late);
    expect(fabric.deadline()).toBe(Infinity);
  });

  it('what is late already is not lost a second time', () => {
    const fabric = fabricOf(1, 9);
    fabric.send(0, 1, 0, 7, CDB, CDB);
    fabric.lose(0, 1);
    fabric.lose(1000, 1);
    expect(arrivals(fabric, SECOND)).toEqual([7]);
  });
});
