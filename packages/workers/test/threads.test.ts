import { SECOND } from '@quorate/kernel';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WorkersLab } from '../src/index.js';
import { threadWorker } from '../src/node/index.js';
import { bundlePairWorker } from './bundled-worker.js';
import { type PingResult, pingScenario, twoMachines } from './two-machines.js';

let worker: Awaited<ReturnType<typeof bundlePairWorker>>;
beforeAll(async () => {
  worker = await bundlePairWorker();
}, 60_000);
afterAll(() => worker.remove());

it('the same lab runs in worker threads, and they end with it', async () => {
  const lab = new WorkersLab({
    scenario: pingScenario(),
    topologyName: 'pair',
    topology: twoMachines(),
    seed: { hi: 0, lo: 1 },
    speed: 20,
    invariants: [],
    spawn: () => threadWorker(worker.url),
  });
  const result = await lab.run();
  expect(result).toMatchObject({ reason: 'ended', gone: undefined, exception: undefined });
  expect((result.result as PingResult).ping).toContain('2 packets transmitted, 2 received, 0% packet loss');
  expect(result.at).toBeGreaterThan(32 * SECOND);
}, 60_000);
