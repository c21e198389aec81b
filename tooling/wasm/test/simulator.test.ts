import { SECOND } from '@quorate/kernel';
import {
  ask,
  type Engine,
  type SimulateReply,
  simulatorProgram,
  startChromium,
  startNode,
  startQuickJs,
} from '@quorate/wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neededChromium } from './needed-chromium.js';

const STORY = { kind: 'simulate', scenario: 'hyperv-blog', seed: '7', every: 10 * SECOND } as const;

/** The machines are on, and their kernels boot. */
const END = 20 * SECOND;

/** Of a virtual machine on a busy machine. */
const PATIENCE_MS = 300_000;

let program: string;
let node: Engine;
let quickJs: Engine;
let story: SimulateReply;

beforeAll(async () => {
  program = await simulatorProgram();
  node = await startNode(program);
  quickJs = await startQuickJs(program);
  story = await ask(node, STORY);
}, PATIENCE_MS);

afterAll(async () => {
  await node.close();
  await quickJs.close();
});

describe('the walk-through is the same run, to the last event', () => {
  it('in Node, where it holds', () => {
    expect(story).toMatchObject({ reason: 'ended', troubles: [] });
    expect(story.marks).toHaveLength(Math.ceil(story.at / STORY.every));
  });

  it('in QuickJS compiled to WebAssembly', { timeout: PATIENCE_MS }, async () => {
    expect(await ask(quickJs, STORY)).toEqual(story);
  });

  it('in Chromium', { timeout: PATIENCE_MS }, async ({ skip }) => {
    const path = neededChromium();
    if (path === undefined) return skip('Chromium is not installed');
    const chromium = await startChromium(program, path);
    try {
      expect(await ask(chromium, STORY)).toEqual(story);
    } finally {
      await chromium.close();
    }
  });
});

it.each([
  { ...STORY, seed: '0xfedcba9876543210', until: END },
  { ...STORY, scenario: 'isolated-node-fences-majority', until: END },
])('the beginning of $scenario, seed $seed, in Node and in QuickJS', { timeout: PATIENCE_MS }, async (request) => {
  const reply = await ask(node, request);
  expect(await ask(quickJs, request)).toEqual(reply);
  expect(reply).toMatchObject({ reason: 'time', troubles: [] });
  expect(reply.marks.map(({ at }) => at / SECOND)).toEqual([10, 20]);
});

it('another seed is another run, and slices of another size are the same', async () => {
  const first = { ...STORY, until: 40 * SECOND };
  const reply = await ask(node, first);
  expect(reply.marks).toEqual(story.marks.slice(0, 4));
  expect((await ask(node, { ...first, seed: '8' })).hash).not.toBe(reply.hash);
  const fine = await ask(node, { ...first, every: SECOND / 8 });
  expect(fine.marks.filter(({ at }) => at % STORY.every === 0)).toEqual(reply.marks);
});

it('a ring of trivial machines is the same in both', async () => {
  const request = { kind: 'ring', events: 10_000 } as const;
  const reply = await ask(node, request);
  expect(reply.events).toBe(10_000);
  expect(await ask(quickJs, request)).toEqual(reply);
});

it.each([
  [{ ...STORY, scenario: 'calm' }, 'found scenario "calm", expected one of hyperv-blog, isolated-node-fences-majority'],
  [{ ...STORY, seed: '-1' }, 'found seed "-1", expected a number below 2^64'],
  [{ ...STORY, every: 0 }, 'found 0 ns between two marks, expected more than 0'],
])('%j is refused', async (request, message) => {
  await expect(ask(node, request)).rejects.toThrow(message);
  await expect(ask(quickJs, request)).rejects.toThrow(message);
});
