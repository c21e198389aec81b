import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Boot } from '../src/boot.js';
import { webWorker } from '../src/platform/browser.js';
import { onBoot } from '../src/platform/on-boot.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** What is used of a web worker. */
class FakeWebWorker {
  readonly posted: [unknown, unknown][] = [];
  onerror: ((event: { message?: string }) => void) | undefined;
  onmessageerror: (() => void) | undefined;
  isTerminated = false;

  postMessage(message: unknown, transfer: unknown): void {
    this.posted.push([message, transfer]);
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

describe('a web worker', () => {
  it('gets its message with its ports, and is terminated', () => {
    const fake = new FakeWebWorker();
    const worker = webWorker(fake as unknown as Worker);
    const { port1 } = new MessageChannel();
    worker.postMessage({ type: 'quorate-boot' }, [port1]);
    worker.terminate();
    expect(fake.posted).toEqual([[{ type: 'quorate-boot' }, [port1]]]);
    expect(fake.isTerminated).toBe(true);
    port1.close();
  });

  it.each([
    ['throws', (fake: FakeWebWorker) => fake.onerror?.({ message: 'Error: planted' }), 'Error: planted'],
    ['does not load', (fake: FakeWebWorker) => fake.onerror?.({}), 'the script did not load'],
    ['gets what it cannot read', (fake: FakeWebWorker) => fake.onmessageerror?.(), 'a message could not be read'],
  ])('that %s is gone', (_what, happen, message) => {
    const fake = new FakeWebWorker();
    const departures: unknown[] = [];
    webWorker(fake as unknown as Worker).onGone((departure) => departures.push(departure));
    happen(fake);
    expect(departures).toEqual([{ reason: 'threw', message }]);
  });
});

it('a worker in a browser starts with the first message of its global scope', () => {
  const listeners: ((event: { data: Boot }) => void)[] = [];
  vi.stubGlobal('process', undefined);
  vi.stubGlobal('addEventListener', (type: string, listener: (event: { data: Boot }) => void, options: unknown) => {
    expect([type, options]).toEqual(['message', { once: true }]);
    listeners.push(listener);
  });
  const boots: Boot[] = [];
  onBoot((boot) => boots.push(boot));
  const boot = { type: 'quorate-boot' } as Boot;
  for (const listener of listeners) listener({ data: boot });
  expect(boots).toEqual([boot]);
});
