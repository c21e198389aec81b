import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasTgt, withTgt } from '../../../tooling/tgt.js';
import { figureLine } from './figures.js';
import type { BenchIo } from './run-bench.js';

const IMAGE_BYTES = 256 * 1024 * 1024;
const ROUNDS = 5;
const SECONDS = 3;
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
 * Throughput of our iSCSI server beside tgt: the same file size, client and queue depth, one after the other in each round.
 *
 * Says so in a sentence when tgt or a client is not installed. Exit code 1 when a client gives no figure.
 */
export async function runDiskBench(io: BenchIo): Promise<number> {
  if (!hasTgt()) {
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
    await withTgt(IMAGE_BYTES, (tgt) => compare(`iscsi://127.0.0.1:${port}/${TARGET}/0`, tgt, io));
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

/** What the server says next. */
async function newsOf<News>(server: ChildProcess): Promise<News> {
  const gone = once(server, 'exit').then(() => Promise.reject(new Error('our server ended by itself')));
  const [news] = await Promise.race([once(server, 'message'), gone]);
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
