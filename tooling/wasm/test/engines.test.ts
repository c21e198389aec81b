import { runInNewContext } from 'node:vm';
import { buildProgram, type Engine, startChromium, startNode, startQuickJs } from '@quorate/wasm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { neededChromium } from './needed-chromium.js';

// On a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Counts its calls and gives their number, then the request backwards; throws for an empty one. */
const ECHO = `
let calls = 0;
export function main(request: Uint8Array): Uint8Array {
  if (request.length === 0) throw new RangeError('found no bytes, expected at least one');
  const reply = new Uint8Array(request.length + 3);
  reply.set(request.slice().reverse(), 2);
  reply[1] = calls++;
  return reply.subarray(1, reply.length - 1);
}`;

const chromium = neededChromium();

const engines: readonly (readonly [string, ((program: string) => Promise<Engine>) | undefined])[] = [
  ['Node', startNode],
  ['QuickJS in WebAssembly', startQuickJs],
  ['Chromium', chromium === undefined ? undefined : (program) => startChromium(program, chromium)],
];

describe.each(engines)('a program in %s', (_, start) => {
  let engine: Engine | undefined;

  beforeAll(async () => {
    engine = await start?.(await buildProgram(ECHO));
  });

  afterAll(() => engine?.close());

  it('gets bytes and gives bytes, of a view only what it shows, and keeps its state', async ({ skip }) => {
    if (engine === undefined) return skip('Chromium is not installed');
    expect([...(await engine.call(Uint8Array.of(1, 0, 255)))]).toEqual([0, 255, 0, 1]);
    expect([...(await engine.call(Uint8Array.of(1, 2, 3).subarray(1, 2)))]).toEqual([1, 2]);
    expect(await engine.call(new Uint8Array(100_000).fill(7))).toEqual(new Uint8Array(100_001).fill(7).fill(2, 0, 1));
  });

  it('fails a call with the message of what it throws, and lives on', async ({ skip }) => {
    if (engine === undefined) return skip('Chromium is not installed');
    await expect(engine.call(new Uint8Array(0))).rejects.toThrow('found no bytes, expected at least one');
    expect([...(await engine.call(Uint8Array.of(9)))].slice(1)).toEqual([9]);
  });

  it('says its version', ({ skip }) => {
    if (engine === undefined) return skip('Chromium is not installed');
    expect(engine.name).toMatch(/ \d+\.\d+/);
  });
});

/** What an expression is in QuickJS, as text. */
async function evaluate(expression: string): Promise<string> {
  const program = `export function main() { return Uint8Array.from(String(${expression}), (c) => c.charCodeAt(0)); }`;
  const engine = await startQuickJs(await buildProgram(program));
  try {
    return Buffer.from(await engine.call(new Uint8Array(0))).toString();
  } finally {
    await engine.close();
  }
}

describe('QuickJS has no host', () => {
  it.each([
    ['Date.now()', 'the guest asked its host for clock_time_get'],
    ['new Date()', 'the guest asked its host for clock_time_get'],
    ['Math.random()', 'not a function'],
    ['performance.now()', 'performance is not defined'],
    ['Promise.resolve()', 'Promise is not defined'],
    ['new WeakRef({})', 'WeakRef is not defined'],
    ['setTimeout(() => {})', 'setTimeout is not defined'],
    ['console.log(1)', 'console is not defined'],
    ['print(1)', 'print is not defined'],
    ['queueMicrotask(() => {})', 'queueMicrotask is not defined'],
    ['fetch("/")', 'fetch is not defined'],
    ['structuredClone(1)', 'structuredClone is not defined'],
    ['crypto.randomUUID()', 'crypto is not defined'],
    ['Atomics', 'Atomics is not defined'],
    ['WebAssembly', 'WebAssembly is not defined'],
    ['Intl', 'Intl is not defined'],
  ])('%s', async (expression, message) => {
    await expect(evaluate(expression)).rejects.toThrow(message);
  });

  it('and knows no globals that a bare V8 does not know, but its own error and what ECMAScript has got since', async () => {
    const names = 'Object.getOwnPropertyNames(globalThis)';
    const known = runInNewContext(names) as string[];
    const others = (await evaluate(names)).split(',').filter((name) => !known.includes(name));
    expect(others.sort()).toEqual([
      'DisposableStack',
      'Float16Array',
      'InternalError',
      'Iterator',
      'SuppressedError',
      'guest',
    ]);
  });
});
