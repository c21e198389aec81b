import { LockFlag, Mode } from '@quorate/dlm';
import { type Lock, LockError, type LockspaceClient } from '@quorate/dlm/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { MessageType } from '../src/message.js';
import { ClientNodes } from './client-nodes.js';

/** As much of an `AbortController` as ECMAScript allows. */
class Abort {
  aborted = false;
  reason: unknown = undefined;
  readonly #listeners = new Set<() => void>();

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners) listener();
  }
}

let nodes: ClientNodes;
let here: LockspaceClient;
let there: LockspaceClient;

beforeEach(async () => {
  nodes = new ClientNodes([1, 2]);
  [here, there] = (await nodes.open({ valueBlockLength: 8 })) as [LockspaceClient, LockspaceClient];
  // Whoever asks first is the master.
  const first = await settled(here.lock('smith', Mode.NL));
  await settled(first.unlock());
});

/** Lets what is under way arrive. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  nodes.deliver();
  return await promise;
}

/** The code of a call that fails. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await settled(promise).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof LockError ? error.code : String(error);
}

describe('promises', () => {
  it('a lock is granted, converted and unlocked', async () => {
    const lock = await settled(here.lock('smith', Mode.EX));
    expect(lock.mode).toBe(Mode.EX);
    expect(await settled(lock.convert(Mode.PR))).toBe(lock);
    expect(lock.mode).toBe(Mode.PR);
    await settled(lock.unlock());
    expect(lock.mode).toBe(Mode.IV);
    expect(here.size).toBe(0);
  });

  it('a lock in the way is asked, and gives way', async () => {
    const asked: number[] = [];
    const onBlocking = (mode: number, lock: Lock): void => {
      asked.push(mode);
      void lock.convert(Mode.NL);
    };
    const first = await settled(here.lock('smith', Mode.EX, { onBlocking }));
    const second = await settled(there.lock('smith', Mode.EX));
    expect(asked).toEqual([Mode.EX]);
    expect([first.mode, second.mode]).toEqual([Mode.NL, Mode.EX]);
  });

  it('a lock without a function for blocking ASTs is sent none', async () => {
    const first = await settled(here.lock('smith', Mode.EX));
    const waiting = there.lock('smith', Mode.EX);
    nodes.deliver();
    await settled(first.unlock());
    const second = await waiting;
    const last = here.lock('smith', Mode.EX);
    nodes.deliver();
    await settled(second.unlock());
    await last;
    expect(nodes.messageTypes).toContain(MessageType.GRANT);
    expect(nodes.messageTypes).not.toContain(MessageType.BAST);
  });

  it('the value block goes with the lock', async () => {
    const writer = await settled(here.lock('smith', Mode.EX, { valueBlock: true }));
    writer.valueBlock!.fill(7);
    await settled(writer.unlock());
    const keeper = await settled(here.lock('smith', Mode.EX, { valueBlock: true }));
    keeper.valueBlock!.fill(8);
    await settled(keeper.convert(Mode.NL));
    const reader = await settled(there.lock('smith', Mode.PR, { valueBlock: true }));
    expect(reader.valueBlock).toEqual(new Uint8Array(8).fill(8));
    expect(reader.isValueBlockValid).toBe(true);
  });

  it('a value block left invalid is known as such', async () => {
    const keeper = await settled(here.lock('smith', Mode.EX, { valueBlock: true }));
    await settled(keeper.convert(Mode.NL));
    const writer = await settled(here.lock('smith', Mode.EX, { valueBlock: true }));
    await settled(writer.unlock({ flags: LockFlag.IVVALBLK }));
    const reader = await settled(there.lock('smith', Mode.PR, { valueBlock: true }));
    expect(reader.isValueBlockValid).toBe(false);
    expect(keeper.mode).toBe(Mode.NL);
  });
});

describe('what fails', () => {
  it('noQueue does not wait', async () => {
    await settled(here.lock('smith', Mode.PR));
    expect(await codeOf(there.lock('smith', Mode.EX, { noQueue: true }))).toBe('EAGAIN');
    expect(there.size).toBe(0);
    const other = await settled(there.lock('smith', Mode.PR));
    expect(await codeOf(other.convert(Mode.EX, { noQueue: true }))).toBe('EAGAIN');
    expect(other.mode).toBe(Mode.PR);
  });

  it('of two conversions that wait for each other the later one fails', async () => {
    const first = await settled(here.lock('smith', Mode.PR));
    const second = await settled(there.lock('smith', Mode.PR));
    const granted = first.convert(Mode.EX);
    nodes.deliver();
    expect(await codeOf(second.convert(Mode.EX))).toBe('EDEADLK');
    await settled(second.unlock());
    expect((await granted).mode).toBe(Mode.EX);
  });

  it('one call at a time, none on what is gone', async () => {
    const lock = await settled(there.lock('smith', Mode.PR));
    const converting = lock.convert(Mode.EX);
    expect(await codeOf(lock.convert(Mode.PR))).toBe('EBUSY');
    await settled(converting);
    const unlocking = lock.unlock();
    expect(await codeOf(lock.unlock())).toBe('EBUSY');
    await settled(unlocking);
    expect(await codeOf(lock.unlock())).toBe('ENOENT');
    expect(await codeOf(lock.convert(Mode.PR))).toBe('ENOENT');
  });

  it('what the lock manager refuses', async () => {
    expect(await codeOf(here.lock('x'.repeat(65), Mode.EX))).toBe('EINVAL');
    expect(await codeOf(here.lock('smith', Mode.EX, { flags: LockFlag.EXPEDITE }))).toBe('EINVAL');
    expect(here.size).toBe(0);
    expect(() => here.lock('smith', Mode.EX, { flags: LockFlag.CONVERT })).toThrow(RangeError);
  });

  it('an error says what was found and expected', async () => {
    await settled(here.lock('smith', Mode.EX));
    await expect(settled(here.lock('smith', Mode.EX, { noQueue: true }))).rejects.toThrow(
      'smith: EAGAIN: found locks in the way of EX, expected none, since noQueue was asked for',
    );
  });

  it('a forced unlock ends a request that waits', async () => {
    await settled(here.lock('smith', Mode.EX));
    const heard: unknown[] = [];
    const waiting = there.lockAst('smith', Mode.EX, {}, (error) => heard.push((error as LockError).code));
    nodes.deliver();
    await settled(waiting.unlock({ isForced: true }));
    expect(heard).toEqual(['EUNLOCK']);
    expect(there.size).toBe(0);
  });
});

describe('signals', () => {
  it('a request that waits fails with the reason', async () => {
    const holder = await settled(here.lock('smith', Mode.EX));
    const abort = new Abort();
    const waiting = there.lock('smith', Mode.EX, { signal: abort });
    nodes.deliver();
    abort.abort('enough');
    await expect(settled(waiting)).rejects.toBe('enough');
    expect([there.size, abort.listeners]).toEqual([0, 0]);
    expect(holder.mode).toBe(Mode.EX);
  });

  it('a request that was granted before the cancel came is unlocked', async () => {
    const abort = new Abort();
    const waiting = there.lock('smith', Mode.EX, { signal: abort });
    abort.abort('enough');
    await expect(settled(waiting)).rejects.toBe('enough');
    expect(there.size).toBe(0);
    expect((await settled(here.lock('smith', Mode.EX))).mode).toBe(Mode.EX);
  });

  it('a conversion goes back, or stays if it was granted', async () => {
    const abort = new Abort();
    const lock = await settled(there.lock('smith', Mode.PR));
    const other = await settled(here.lock('smith', Mode.PR));
    const waiting = lock.convert(Mode.EX, { signal: abort });
    nodes.deliver();
    abort.abort('enough');
    await expect(settled(waiting)).rejects.toBe('enough');
    expect(lock.mode).toBe(Mode.PR);
    await settled(other.unlock());
    const late = new Abort();
    const granted = lock.convert(Mode.EX, { signal: late });
    late.abort('too late');
    expect((await settled(granted)).mode).toBe(Mode.EX);
    await settled(lock.unlock());
  });

  it('what is aborted already is not asked', async () => {
    const abort = new Abort();
    abort.abort('enough');
    await expect(here.lock('smith', Mode.EX, { signal: abort })).rejects.toBe('enough');
    expect(here.size).toBe(0);
  });

  it('a signal does not keep what is done', async () => {
    const abort = new Abort();
    const lock = await settled(there.lock('smith', Mode.EX, { signal: abort }));
    expect(abort.listeners).toBe(0);
    abort.abort('enough');
    expect(lock.mode).toBe(Mode.EX);
  });
});

describe('callbacks', () => {
  it('may call the lock manager again', () => {
    const log: string[] = [];
    here.lockAst('smith', Mode.EX, {}, (error, lock) => {
      log.push(`granted ${error} ${lock.mode}`);
      lock.convertAst(Mode.PR, {}, () => {
        log.push(`converted ${lock.mode}`);
        lock.unlockAst({}, () => log.push(`unlocked ${lock.mode}`));
      });
    });
    nodes.deliver();
    expect(log).toEqual(['granted undefined 5', 'converted 3', 'unlocked -1']);
  });

  it('come in the order of what happened', () => {
    const log: string[] = [];
    const onBlocking = (mode: number): void => void log.push(`in the way of ${mode}`);
    there.lockAst('smith', Mode.EX, { onBlocking }, () => log.push('granted'));
    nodes.deliver();
    here.lockAst('smith', Mode.PR, {}, () => log.push('not granted'));
    nodes.deliver();
    expect(log).toEqual(['granted', `in the way of ${Mode.PR}`]);
  });

  it('that throw do not keep the others from theirs', () => {
    const log: string[] = [];
    const held = new Map<string, Lock>();
    for (const name of ['a', 'b']) {
      const fail = (): void => {
        log.push(name);
        throw new Error(name);
      };
      held.set(
        name,
        here.lockAst('smith', Mode.PR, { onBlocking: fail }, () => {}),
      );
    }
    nodes.deliver();
    expect(() => {
      here.lockAst('smith', Mode.EX, {}, () => {});
      nodes.deliver();
    }).toThrow(Error);
    expect(log.sort()).toEqual(['a', 'b']);
    for (const lock of held.values()) lock.unlockAst({}, () => {});
    nodes.deliver();
    expect(here.size).toBe(1);
  });
});

describe('lockspaces', () => {
  it('calls made during a recovery wait', async () => {
    for (const node of nodes.nodes.values()) node.stop('accounts');
    const lock = here.lock('smith', Mode.EX, { valueBlock: true });
    nodes.run();
    const members = [{ node: 1 }, { node: 2 }];
    for (const node of nodes.nodes.values()) node.start('accounts', members);
    nodes.run();
    expect((await lock).mode).toBe(Mode.EX);
  });

  it('one with locks is closed by force only, and loses them', async () => {
    const node = nodes.nodes.get(1)!;
    const lock = await settled(here.lock('smith', Mode.EX));
    expect(await codeOf(node.close('accounts'))).toBe('EBUSY');
    await settled(node.close('accounts', true));
    expect(await codeOf(lock.unlock())).toBe('ENOENT');
    expect(await codeOf(node.close('accounts'))).toBe('EINVAL');
    expect(await codeOf(here.lock('smith', Mode.EX))).toBe('EINVAL');
  });

  it('what cannot be opened', async () => {
    const node = nodes.nodes.get(1)!;
    expect(await codeOf(node.open('accounts'))).toBe('EEXIST');
    expect(await codeOf(node.open('odd', { valueBlockLength: 3 }))).toBe('EINVAL');
  });
});
