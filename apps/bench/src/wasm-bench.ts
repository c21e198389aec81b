import { SECOND } from '@quorate/kernel';
import {
  ask,
  type Engine,
  findChromium,
  firstDifference,
  type RingReply,
  type SimulateReply,
  simulatorProgram,
  startChromium,
  startNode,
  startQuickJs,
} from '@quorate/wasm';
import type { Figure } from './figures.js';

const SEED = '7';

export const wasmTitle = `one bundle of the simulator in Node, in QuickJS compiled to WebAssembly, and in Chromium where it is installed; seed ${SEED}`;

const STORY = { kind: 'simulate', scenario: 'hyperv-blog', seed: SEED, every: 10 * SECOND } as const;

interface Timed<T> {
  readonly reply: T;
  readonly wallSeconds: number;
  /** Of this process: a browser is another one. */
  readonly cpuSeconds: number;
}

interface Measured {
  readonly name: string;
  readonly start: Timed<Engine>;
  readonly ring: Timed<RingReply>;
  readonly story: Timed<SimulateReply>;
}

/** Throws when the story does not hold, or when it is not the same run in all engines. */
export async function wasmFigures(): Promise<readonly Figure[]> {
  const program = await simulatorProgram();
  const node = await measure(() => startNode(program), { events: 1_000_000, stories: 3 });
  const quickJs = await measure(() => startQuickJs(program), { events: 50_000, stories: 1 });
  const path = findChromium();
  const chromium = path && (await measure(() => startChromium(program, path), { events: 1_000_000, stories: 3 }));
  const { reason, troubles, hash, events } = node.story.reply;
  if (reason !== 'ended' || troubles.length > 0) throw new Error(`the story does not hold: ${troubles[0] ?? reason}`);
  const all = [node, quickJs, ...(chromium ? [chromium] : [])];
  for (const { name, story } of all) expectSame(node.story.reply, name, story.reply);
  return [
    { name: 'Node, ring with trivial handlers', ...cpuRate(node), bar: { atLeast: 5 } },
    { name: 'Node, whole story', value: node.story.cpuSeconds, unit: 'CPU s' },
    { name: 'QuickJS, its start with the program', value: quickJs.start.cpuSeconds, unit: 'CPU s' },
    { name: 'QuickJS, ring with trivial handlers', ...cpuRate(quickJs), bar: { atLeast: 0.1 } },
    { name: 'QuickJS, whole story', value: quickJs.story.cpuSeconds, unit: 'CPU s' },
    { name: 'the same, by that of Node', value: quickJs.story.cpuSeconds / node.story.cpuSeconds, unit: 'times' },
    ...(chromium ? chromiumFigures(chromium, node) : []),
    { name: 'events in it', value: events, unit: `hash ${hash} in ${all.map(({ name }) => name).join(', ')}` },
  ];
}

function cpuRate({ ring }: Measured): Pick<Figure, 'value' | 'unit'> {
  return { value: ring.reply.events / ring.cpuSeconds / 1e6, unit: 'M events per CPU s' };
}

/** Beside Node by the wall: nobody says what processor time a browser takes for a page. */
function chromiumFigures({ ring, story }: Measured, node: Measured): readonly Figure[] {
  const value = ring.reply.events / ring.wallSeconds / 1e6;
  const speed = node.story.wallSeconds / story.wallSeconds;
  return [
    { name: 'Chromium, ring with trivial handlers', value, unit: 'M events per wall s' },
    { name: 'Chromium, whole story', value: story.wallSeconds, unit: 'wall s' },
    { name: 'its speed, by that of Node', value: speed, unit: 'times', bar: { atLeast: 0.5 } },
  ];
}

/** The best of three rings of so many events, and of so many stories. */
async function measure(
  start: () => Promise<Engine>,
  { events, stories }: { readonly events: number; readonly stories: number },
): Promise<Measured> {
  const started = await timed(start);
  const engine = started.reply;
  try {
    const ring = await best(3, () => ask(engine, { kind: 'ring', events }));
    const story = await best(stories, () => ask(engine, STORY));
    return { name: engine.name, start: started, ring, story };
  } finally {
    await engine.close();
  }
}

async function best<T>(runs: number, run: () => Promise<T>): Promise<Timed<T>> {
  let least = await timed(run);
  for (let i = 1; i < runs; i++) {
    const next = await timed(run);
    if (next.wallSeconds < least.wallSeconds) least = next;
  }
  return least;
}

async function timed<T>(run: () => Promise<T>): Promise<Timed<T>> {
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  const reply = await run();
  const wallSeconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(before);
  return { reply, wallSeconds, cpuSeconds: (used.user + used.system) / 1e6 };
}

function expectSame(node: SimulateReply, name: string, other: SimulateReply): void {
  const difference = firstDifference(node.marks, other.marks);
  if (difference !== undefined) throw new Error(`Node and ${name} part: ${difference}`);
}
