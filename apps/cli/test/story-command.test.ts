import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STEP_IDS } from '@quorate/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import type { RunRecord } from '../src/run-record.js';
import { capturedIo } from './captured-io.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the story in the simulator, as JSON on stdout, with its trace and an image of the volume', () => {
  const image = join(folder, 'volume.img');
  const trace = join(folder, 'run.qtrace');
  const io = capturedIo();
  let code = -1;

  beforeAll(async () => {
    const argv = ['story', '--driver', 'simulator', '--seed', '7', '--json', '-', '--image', image, '--trace', trace];
    code = await runCommand(argv, io);
  }, 180_000);

  it('passes', () => {
    expect(code).toBe(0);
  });

  it('has nothing but the record on stdout, and its lines on stderr', () => {
    const record = JSON.parse(io.stdout.text) as RunRecord;
    expect(record).toMatchObject({
      scenario: 'hyperv-blog',
      driver: 'simulator',
      seed: '0000000000000007',
      ok: true,
      failures: [],
      invariants: { violations: [] },
    });
    expect(record.traceHash).toMatch(/^[0-9a-f]{16}$/);
    expect(record.steps.map(({ id }) => id)).toEqual(STEP_IDS);
    expect(record.invariants.checked.length).toBeGreaterThan(0);
    const lines = io.stderr.text.split('\n').filter((line) => /\[\d+\/\d+\]/.test(line));
    expect(lines).toHaveLength(STEP_IDS.length);
  });

  it('leaves the whole volume, with a superblock of GFS2 where one is looked for', () => {
    expect(statSync(image).size).toBe(20 * 1024 ** 3);
    const head = Buffer.alloc(4);
    const file = openSync(image, 'r');
    readSync(file, head, 0, 4, 64 * 1024);
    closeSync(file);
    expect(head.toString('hex')).toBe('01161970');
  });

  it('leaves what a picture of the volume needs to show which node wrote what', async () => {
    const shown = capturedIo();
    expect(await runCommand(['gfs2', 'visualize', image, '--trace', trace], shown)).toBe(0);
    const titles = new Set([...shown.stdout.text.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title));
    // What my-vm4 wrote others have written since; my-vm1 was the last to unmount.
    const byNodes = [1, 2, 3, 5].map((node) => `last written by my-vm${node}`);
    const groups = ['group written by no node of the run', 'group last written by my-vm1'];
    expect([...titles].sort()).toEqual(['free', 'written by no node of the run', ...groups, ...byNodes].sort());
  });

  it.each([
    ['another place', ['--trace', trace, '--at', '5'], '--at: found "5", expected lun:sector, as 0:'],
    ['a file that is no trace', ['--trace', import.meta.filename], 'at byte 0: found'],
  ])('says what is wrong with %s', async (_, options, complaint) => {
    const shown = capturedIo();
    expect(await runCommand(['gfs2', 'visualize', image, ...options], shown)).toBe(4);
    expect(shown.stderr.text).toContain(complaint);
  });
});
