import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSeed } from '@quorate/simulator';
import { TraceFile } from '@quorate/trace';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { campaignCommand } from '../src/campaign/campaign-command.js';
import type { SeedWorker } from '../src/campaign/seed-worker.js';
import { seedOfNumber } from '../src/options.js';
import { runCommand } from '../src/run-command.js';
import { prepare } from '../src/scenarios.js';
import { type CapturedIo, capturedIo } from './captured-io.js';
import { stubScenarios } from './stub-scenarios.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-campaign-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SCENARIOS = stubScenarios();

/** Runs seeds in this thread. */
function ownThread(): SeedWorker {
  return {
    run: async ({ scenario, options, seed }) => runSeed(prepare(SCENARIOS, scenario, options), seedOfNumber(seed)),
    stop: async () => {},
  };
}

interface CampaignRun {
  readonly code: number;
  readonly io: CapturedIo;
  readonly last: unknown;
}

function campaign(...argv: readonly string[]): Promise<CampaignRun> {
  return campaignOn(ownThread, ...argv);
}

async function campaignOn(startWorker: () => SeedWorker, ...argv: readonly string[]): Promise<CampaignRun> {
  const io = capturedIo();
  let code = -1;
  const failures = join(folder, 'failures');
  const exit = (result: number): void => {
    code = result;
  };
  const command = new Command('sim').addCommand(campaignCommand(io, SCENARIOS, exit, startWorker));
  await command.parseAsync(['campaign', ...argv, '--failures', failures], { from: 'user' });
  return { code, io, last: JSON.parse(io.stdout.text.trimEnd().split('\n').at(-1)!) };
}

async function sim(...argv: readonly string[]): Promise<{ code: number; last: Readonly<Record<string, unknown>> }> {
  const io = capturedIo();
  const code = await runCommand(['sim', ...argv], io, SCENARIOS);
  return { code, last: JSON.parse(io.stdout.text.trimEnd().split('\n').at(-1)!) };
}

describe('a campaign', () => {
  it('runs every seed once, whatever the number of jobs', async () => {
    const one = await campaign('passes', '--seeds', '3..9');
    const three = await campaign('passes', '--seeds', '3..9', '--jobs', '3', '--json', join(folder, 'c.json'));
    expect([one.code, three.code]).toEqual([0, 0]);
    expect(three.last).toMatchObject({ scenario: 'passes', runs: 7, passed: 7, failures: {} });
    const { hashes } = JSON.parse(readFileSync(join(folder, 'c.json'), 'utf8'));
    expect(Object.keys(hashes)).toHaveLength(7);
  });

  it('tells of a seed that is another run the second time', async () => {
    const order: bigint[] = [];
    const forgetful = (): SeedWorker => ({
      run: async (task) => {
        order.push(task.seed);
        const report = await ownThread().run(task);
        return task.seed === 4n && order.length > 3 ? { ...report, hash: 'another' } : report;
      },
      stop: async () => {},
    });
    const argv = ['passes', '--seeds', '3..5', '--check-determinism'];
    const { code, last } = await campaignOn(forgetful, ...argv);
    expect(order).toEqual([3n, 4n, 5n, 5n, 4n, 3n]);
    expect([code, last]).toEqual([3, expect.objectContaining({ runs: 3, passed: 2, failures: { diverged: 1 } })]);
    expect((await campaign(...argv)).code).toBe(0);
  });

  it('keeps the first failures of a kind, which replay and shrink', async () => {
    const { code, io, last } = await campaign('breaks-a-rule', '--seeds', '1..5');
    expect([code, last]).toEqual([1, expect.objectContaining({ runs: 5, passed: 0, failures: { T1: 5 } })]);
    const directories = [...io.stdout.text.matchAll(/quorate sim replay (\S+)/g)].map(([, path]) => path!);
    expect(directories).toHaveLength(3);
    const [path = ''] = directories;
    expect(await sim('replay', path, '--quiet')).toMatchObject({
      code: 1,
      last: { runs: 1, id: 'T1', reproduced: true, misfits: { answered: 0, unasked: 0 } },
    });
    const shrunk = await sim('shrink', path);
    expect(shrunk).toMatchObject({ code: 0, last: { id: 'T1', after: 0 } });
    expect(await sim('replay', path, '--shrunk')).toMatchObject({ code: 1, last: { id: 'T1', reproduced: true } });
    expect(await sim('replay', join(path, 'decisions.min.txt'), '--quiet')).toMatchObject({ code: 1 });
    const { hash } = JSON.parse(readFileSync(join(path, 'verdict.json'), 'utf8'));
    for (const [minimal, of] of Object.entries({ '': hash, '.min': shrunk.last.hash })) {
      expect(new TraceFile(readFileSync(join(path, `trace${minimal}.qtrace`))).hash).toBe(of);
      expect(readFileSync(join(path, `chart${minimal}.mmd`), 'utf8')).toMatch(/^sequenceDiagram\n/);
    }
  });

  it.each<[readonly string[], string]>([
    [['passes', '--seeds', '9..3'], 'expected two numbers A..B'],
    [['passes', '--seeds', '1..3', '--jobs', '0'], '--jobs: found "0", expected a whole number from 1 to 256'],
    [['nothing', '--seeds', '1..3'], 'found scenario "nothing", expected one of passes'],
    [['passes', '--seeds', '1..3', '--nemesis', 'storm'], '--nemesis: found "storm", expected one of calm'],
    [['passes', '--seeds', '1..3', '--nemesis', 'gray'], 'expected scenario "storm"'],
  ])('refuses %j', async (argv, message) => {
    const io = capturedIo();
    expect(await runCommand(['sim', 'campaign', ...argv], io, SCENARIOS)).toBe(4);
    expect(io.stderr.text).toContain(message);
    expect(io.stderr.text.trimEnd().split('\n')).toHaveLength(1);
  });
});

it.each([
  [['replay', 'nowhere'], 'cannot read nowhere: ENOENT'],
  [['shrink', 'nowhere'], 'ENOENT'],
  [['replay', 'nowhere', '--mode', 'loose'], '--mode: found "loose", expected strict or tolerant'],
])('refuses %j', async (argv, message) => {
  const io = capturedIo();
  expect(await runCommand(['sim', ...argv], io, SCENARIOS)).toBe(4);
  expect(io.stderr.text).toContain(message);
});
