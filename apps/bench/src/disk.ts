import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasTgt, withTgt } from '../../../tooling/tgt.js';
import { figureLine } from './figures.js';
import { growth } from './growth.js';
import type { BenchIo } from './run-bench.js';

const IMAGE_BYTES = 256 * 1024 * 1024;
const ROUNDS = 5;
const SECONDS = 3;
/** What the server's memory may grow by, from the first third to the last, and still be called flat. */
const FLAT = 1.1;
/** One minute to warm up, and one for each third. */
export const LEAST_MINUTES = 4;
const QUEUE_DEPTH = '32';
const TARGET = 'iqn.2024-01.quorate:bench';
/** Next to the bundled command. */
const SERVER_FILE = new URL('./disk-server.js', import.meta.url);

/** One kind of load, and the client that makes it. */
interface Load {
  readonly name: string;
  readonly bytes: number;
  /** Commands per second at that URL. */
  measure(url: string): Promise<number>;
}

const LOADS: readonly Load[] = [
  { name: '4 KiB random read', bytes: 4096, measure: (url) => reading(url, 8, '-r') },
  { name: '256 KiB sequential read', bytes: 262_144, measure: (url) => reading(url, 512) },
  // An odd number of blocks from one to the next scatters them over the disk.
  { name: '4 KiB scattered write', bytes: 4096, measure: (url) => writing(url, 4096, 4096 * 7919, 20_000) },
  { name: '256 KiB sequential write', bytes: 262_144, measure: (url) => writing(url, 262_144, 262_144, 2000) },
];

/**
 * Throughput of our iSCSI server beside tgt: the same file size, client and queue depth, one after the other in each round. With
 * `minutes` its memory under the same loads for so long instead, for which tgt is not needed.
 *
 * Says so in a sentence when tgt or a client is not installed. Exit code 1 when a client gives no figure.
 */
export async function runDiskBench(minutes: number | undefined, io: BenchIo): Promise<number> {
  if (minutes === undefined && !hasTgt()) {
    io.stdout.write('tgt is not installed: there is nothing to hold our disk against\n');
    return 0;
  }
  io.stdout.write(
    `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]!.toFixed(1)}\n`,
  );
  const directory = mkdtempSync(join(tmpdir(), 'bench-disk-'));
  const path = join(directory, 'disk.img');
  writeFileSync(path, '');
  truncateSync(path, IMAGE_BYTES);
  const server = fork(SERVER_FILE, [path]);
  try {
    const { port } = await newsOf<{ port: number }>(server);
    const url = `iscsi://127.0.0.1:${port}/${TARGET}/0`;
    if (minutes === undefined) await withTgt(IMAGE_BYTES, (tgt) => compare(url, tgt, io));
    else await watchMemory(url, server, minutes, io);
    server.send('end');
    const { peakBytes } = await newsOf<{ peakBytes: number }>(server);
    const peak = { name: 'resident memory of our server, peak', value: peakBytes / 1e6, unit: 'MB' };
    io.stdout.write(`${figureLine({ ...peak, bar: { atMost: 160 } })}\n`);
    return 0;
  } catch (error) {
    io.stderr.write(`bench: disk: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  } finally {
    server.kill();
    rmSync(directory, { recursive: true });
  }
}

/** One load after the other, each with a session of its own, and how much memory the server has minute by minute. */
async function watchMemory(url: string, server: ChildProcess, minutes: number, io: BenchIo): Promise<void> {
  const start = performance.now();
  const means: number[] = [];
  for (let minute = 1; minute <= minutes; minute++) {
    const samples: number[] = [];
    while (performance.now() - start < minute * 60_000) {
      for (const { measure } of LOADS) {
        await measure(url);
        server.send('memory');
        samples.push((await newsOf<{ residentBytes: number }>(server)).residentBytes / 1e6);
      }
    }
    means.push(samples.reduce((sum, sample) => sum + sample, 0) / samples.length);
    const unit = `MB, at most ${Math.max(...samples).toFixed(0)}, ${samples.length} sessions`;
    io.stdout.write(`${figureLine({ name: `resident memory, minute ${minute}`, value: means.at(-1)!, unit })}\n`);
  }
  const figure = { name: 'last third beside the first third after a minute', value: growth(means.slice(1)), unit: '' };
  io.stdout.write(`${figureLine({ ...figure, bar: { atMost: FLAT } })}\n`);
}

/** What the server says next. */
async function newsOf<News>(server: ChildProcess): Promise<News> {
  const heard = new AbortController();
  const { signal } = heard;
  const gone = once(server, 'exit', { signal }).then(() => Promise.reject(new Error('our server ended by itself')));
  gone.catch(() => {});
  const [news] = await Promise.race([once(server, 'message', { signal }), gone]);
  heard.abort();
  return news as News;
}

async function compare(ours: string, tgt: string, io: BenchIo): Promise<void> {
  for (const { name, bytes, measure } of LOADS) {
    const rates: { readonly ours: number[]; readonly tgt: number[] } = { ours: [], tgt: [] };
    for (let round = 0; round < ROUNDS; round++) {
      // Who goes first changes: the second finds another load.
      if (round % 2 === 0) rates.ours.push(await measure(ours));
      rates.tgt.push(await measure(tgt));
      if (round % 2 === 1) rates.ours.push(await measure(ours));
    }
    const ratio = median(rates.ours.map((rate, round) => rate / rates.tgt[round]!));
    io.stdout.write(
      `${figureLine({ name: `${name}, beside tgt`, value: ratio, unit: 'of tgt', bar: { atLeast: 1 } })}\n`,
    );
    for (const [who, values] of Object.entries(rates)) {
      const middle = median(values);
      const megabytes = ((middle * bytes) / 1e6).toFixed(0);
      io.stdout.write(`${figureLine({ name: `  ${who}`, value: middle, unit: `commands/s, ${megabytes} MB/s` })}\n`);
    }
  }
}

async function reading(url: string, blocks: number, ...options: readonly string[]): Promise<number> {
  const text = await output('iscsi-perf', '-m', QUEUE_DEPTH, '-b', `${blocks}`, '-t', `${SECONDS}`, ...options, url);
  return figureOf('iscsi-perf', text, [...text.matchAll(/iops average (\d+)/g)].at(-1)?.[1]);
}

async function writing(url: string, size: number, stride: number, count: number): Promise<number> {
  const sizes = ['-s', `${size}`, '-S', `${stride}`, '-c', `${count}`];
  const text = await output('qemu-img', 'bench', '-w', '-f', 'raw', '-t', 'none', '-d', QUEUE_DEPTH, ...sizes, url);
  return count / figureOf('qemu-img', text, /Run completed in ([\d.]+)/.exec(text)?.[1]);
}

function figureOf(program: string, text: string, figure: string | undefined): number {
  if (figure !== undefined && Number(figure) > 0) return Number(figure);
  throw new Error(`${program} gave no figure: ${text.trim().slice(-200)}`);
}

function output(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve(stdout + stderr || String(error));
    });
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
