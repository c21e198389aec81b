import { type Nanos, SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { ScsiErrorHandler } from '../src/os/iscsi/scsi-error-handler.js';

const COMPLETE = 0;
const NO_SUCH_TASK = 1;

/** A handler, and what it did: `SECONDS what`. */
class Bench {
  now: Nanos = 0;
  readonly did: string[] = [];
  readonly handler: ScsiErrorHandler = new ScsiErrorHandler({
    now: () => this.now,
    manage: (id, name, lun, command) => {
      this.lastId = id;
      this.#note(`${name} ${command === undefined ? `of LUN ${lun}` : command}`);
    },
    recovered: (tags) => this.#note(`recovered ${tags.join(' ')}`.trim()),
    dropSession: () => {
      this.#note('dropped');
      this.handler.clear();
    },
  });
  lastId = 0;

  run(seconds: number): void {
    const end = this.now + seconds * SECOND;
    for (let next = this.handler.deadline(); next <= end; next = this.handler.deadline()) {
      this.now = next;
      this.handler.wakeIfDue(next);
    }
    this.now = end;
  }

  answer(response: number): void {
    this.handler.answered(this.lastId, response);
  }

  #note(what: string): void {
    this.did.push(`${this.now / SECOND} ${what}`);
  }
}

it('a command that is answered in its second time-out is left alone', () => {
  const bench = new Bench();
  bench.handler.sent(1, 0);
  bench.run(59);
  expect(bench.handler.isRecovering).toBe(false);
  bench.handler.ended(1);
  bench.run(100);
  expect(bench.did).toEqual([]);
});

it('each failed command is aborted, one after the other, when nothing else is under way any more', () => {
  const bench = new Bench();
  bench.handler.sent(1, 0);
  bench.handler.sent(2, 1);
  bench.run(10);
  bench.handler.sent(3, 0);
  bench.run(52);
  expect([bench.handler.isRecovering, bench.did]).toEqual([true, []]);
  bench.handler.ended(3);
  bench.answer(COMPLETE);
  bench.answer(COMPLETE);
  expect(bench.did).toEqual(['62 abort-task 1', '62 abort-task 2', '62 recovered 1 2']);
  expect([bench.handler.isRecovering, bench.handler.deadline()]).toEqual([false, Infinity]);
});

it('where an abort does not help the unit is reset, then the target, then the session is dropped', () => {
  const bench = new Bench();
  bench.handler.sent(1, 4);
  bench.run(200);
  expect(bench.did).toEqual(['60 abort-task 1', '75 lun-reset of LUN 4', '105 warm-reset of LUN 4', '135 dropped']);
  expect(bench.handler.deadline()).toBe(Infinity);
});

it('the reset of a unit ends its commands only', () => {
  const bench = new Bench();
  for (const [tag, lun] of [
    [1, 0],
    [2, 1],
    [3, 0],
  ] as const)
    bench.handler.sent(tag, lun);
  bench.run(60);
  bench.answer(NO_SUCH_TASK);
  bench.answer(COMPLETE);
  bench.answer(NO_SUCH_TASK);
  bench.answer(COMPLETE);
  expect(bench.did.slice(3)).toEqual(['60 lun-reset of LUN 0', '60 recovered 2 1 3']);
});

it('a command whose answer comes while it is being aborted has ended, and is not told again', () => {
  const bench = new Bench();
  bench.handler.sent(1, 0);
  bench.run(60);
  bench.handler.ended(1);
  expect(bench.handler.isRecovering).toBe(true);
  bench.answer(NO_SUCH_TASK);
  expect(bench.did).toEqual(['60 abort-task 1', '60 recovered']);
  expect(bench.handler.isRecovering).toBe(false);
});
