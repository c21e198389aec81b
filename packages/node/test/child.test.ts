import type { Machine, Nanos } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Child } from '../src/child.js';

type Input = { readonly kind: 'say'; readonly bytes: Uint8Array } | { readonly kind: 'wake' };
interface Output {
  readonly text: string;
}

/** Says the number it is given, and is broken when it is stepped from inside its own emit. */
class Speaker implements Machine<Input, Output> {
  wakeAt: Nanos = Infinity;
  readonly heard: string[] = [];
  #isOnStack = false;

  step(now: Nanos, input: Input, emit: (output: Output) => void): void {
    expect(this.#isOnStack).toBe(false);
    this.#isOnStack = true;
    const text = input.kind === 'wake' ? 'wake' : String(input.bytes[0]);
    this.heard.push(`${text} at ${now}`);
    if (input.kind === 'wake') this.wakeAt = Infinity;
    emit({ text });
    this.#isOnStack = false;
  }

  deadline(): Nanos {
    return this.wakeAt;
  }
}

function say(value: number): Input {
  return { kind: 'say', bytes: Uint8Array.of(value) };
}

it('what is sent to a machine on the stack waits, in order, until its step is done', () => {
  const speaker = new Speaker();
  const child: Child<Input, Output> = new Child(
    speaker,
    () => 7,
    ({ text }) => {
      if (text !== '1') return;
      child.send(say(2));
      child.send(say(3));
      expect(speaker.heard).toEqual(['1 at 7']);
    },
  );
  child.send(say(1));
  expect(speaker.heard).toEqual(['1 at 7', '2 at 7', '3 at 7']);
});

it('two machines may answer each other without end of the stack', () => {
  const [a, b] = [new Speaker(), new Speaker()];
  const left: Child<Input, Output> = new Child(
    a,
    () => 0,
    ({ text }) => right.send(say(Number(text) + 1)),
  );
  const right: Child<Input, Output> = new Child(
    b,
    () => 0,
    ({ text }) => {
      if (Number(text) < 200) left.send(say(Number(text) + 1));
    },
  );
  left.send(say(1));
  expect(b.heard).toHaveLength(100);
});

it('an input that waits keeps its own copy of lent bytes', () => {
  const lent = Uint8Array.of(2);
  const speaker = new Speaker();
  const child: Child<Input, Output> = new Child(
    speaker,
    () => 0,
    ({ text }) => {
      if (text !== '1') return;
      child.send({ kind: 'say', bytes: lent });
      lent[0] = 9;
    },
  );
  child.send(say(1));
  expect(speaker.heard).toEqual(['1 at 0', '2 at 0']);
});

it('a machine is woken when it is due and not before', () => {
  const speaker = new Speaker();
  let now = 0;
  const child = new Child<Input, Output>(
    speaker,
    () => now,
    () => {},
  );
  speaker.wakeAt = 5;
  for (now = 4; now <= 6; now++) child.wakeIfDue(now);
  expect(speaker.heard).toEqual(['wake at 5']);
});

it('one that has ended hears nothing more, not even what waited for it, and wants nothing', () => {
  const speaker = new Speaker();
  const child: Child<Input, Output> = new Child(
    speaker,
    () => 7,
    () => {
      child.send(say(2));
      child.end();
    },
  );
  speaker.wakeAt = 5;
  child.send(say(1));
  child.send(say(3));
  child.wakeIfDue(7);
  expect([speaker.heard, child.deadline(), child.hasEnded]).toEqual([['1 at 7'], Infinity, true]);
});

it('a step that throws leaves the machine usable', () => {
  const speaker = new Speaker();
  const child = new Child<Input, Output>(
    { step: (now, input, emit) => (now === 1 ? bug() : speaker.step(now, input, emit)), deadline: () => Infinity },
    () => time,
    () => {},
  );
  let time = 1;
  expect(() => child.send(say(1))).toThrow('bug');
  time = 2;
  child.send(say(2));
  expect(speaker.heard).toEqual(['2 at 2']);
});

function bug(): never {
  throw new Error('bug');
}
