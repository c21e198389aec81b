import { type Nanos, SECOND } from '@quorate/kernel';
import {
  exportChrome,
  exportEdn,
  exportJsonl,
  exportMermaid,
  exportPcapng,
  exportShiviz,
  exportSvg,
  stepsOf,
  stepWindow,
  type Trace,
  type TraceFile,
  type Window,
  windowed,
} from '@quorate/trace';
import { Command, Option } from 'commander';
import type { CommandIo } from './command-io.js';
import { OutputFile } from './output-file.js';
import { withTrace } from './trace-file.js';
import { UsageError } from './usage-error.js';

const FORMATS = ['perfetto', 'jsonl', 'shiviz', 'mermaid', 'pcapng', 'edn', 'svg'] as const;

interface ExportOptions {
  readonly to: (typeof FORMATS)[number];
  readonly output?: string;
  readonly step?: string;
  readonly since?: string;
  readonly until?: string;
  readonly last: string;
  readonly node?: string;
}

type Pieces = Iterable<string | Uint8Array>;

/** `quorate trace`: what other programs show of a `.qtrace` file. */
export function traceCommand(io: CommandIo): Command {
  const exportCommand = new Command('export')
    .description('make a file that another program shows')
    .argument('<file>', 'a .qtrace file, from sim run --trace')
    .addOption(
      new Option(
        '--to <format>',
        'perfetto (ui.perfetto.dev, chrome://tracing), shiviz, mermaid, pcapng (Wireshark), edn (Jepsen), jsonl, svg (a picture of the longest outage, or of --step)',
      )
        .choices(FORMATS)
        .makeOptionMandatory(),
    )
    .option('-o, --output <file>', 'write it there; standard output unless told')
    .option('--step <id>', 'only that step of the scenario')
    .option('--since <seconds>', 'only from there on')
    .option('--until <seconds>', 'only up to there')
    .option('--last <n>', 'mermaid: the last so many frames', '100')
    .option('--node <name>', 'pcapng: only what the card of that machine saw')
    .action((path: string, options: ExportOptions) => exportTrace(path, options, io));
  return new Command('trace').description('read traces of runs').addCommand(exportCommand);
}

function exportTrace(path: string, options: ExportOptions, io: CommandIo): Promise<void> {
  return withTrace(path, async (trace) => {
    const pieces = piecesOf(trace, path, options);
    if (options.output === undefined) await print(pieces, io);
    else write(pieces, new OutputFile('--output', options.output));
  });
}

function piecesOf(file: TraceFile, path: string, options: ExportOptions): Pieces {
  const window = windowOf(file, options);
  const trace: Trace = window === undefined ? file : windowed(file, window);
  switch (options.to) {
    case 'perfetto':
      // It shows states that began before the window, too.
      return exportChrome(file, window === undefined ? {} : { window });
    case 'svg':
      return exportSvg(file, window === undefined ? {} : { window });
    case 'jsonl':
      return exportJsonl(trace);
    case 'shiviz':
      return exportShiviz(trace);
    case 'mermaid':
      return exportMermaid(trace, { last: countOf(options.last) });
    case 'edn':
      return exportEdn(trace);
    case 'pcapng':
      if (!file.hasPayloads) {
        throw new UsageError(`${path}: found a trace without the bytes of frames, expected --trace-mode payload`);
      }
      return exportPcapng(trace, options.node === undefined ? {} : { node: nodeOf(file, options.node) });
  }
}

function nodeOf({ header: { nodes, hosts = [] } }: Trace, name: string): number {
  const all = [...nodes, ...hosts];
  const node = all.find((each) => each.name === name);
  if (node !== undefined) return node.id;
  throw new UsageError(`--node: found "${name}", expected one of ${all.map((each) => each.name).join(', ')}`);
}

function windowOf(trace: Trace, { step, since, until }: ExportOptions): Window | undefined {
  const named = step === undefined ? undefined : stepWindow(trace, step);
  if (step !== undefined && named === undefined) {
    throw new UsageError(`--step: found "${step}", expected one of ${stepsOf(trace).join(', ')}`);
  }
  if (named === undefined && since === undefined && until === undefined) return undefined;
  const from = since === undefined ? (named?.from ?? 0) : instantOf('--since', since);
  const to = until === undefined ? (named?.to ?? Infinity) : instantOf('--until', until);
  if (from > to) throw new UsageError(`--since: found ${from / SECOND} s, expected at most ${to / SECOND} s`);
  return { from, to };
}

function instantOf(option: string, text: string): Nanos {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= Number.MAX_SAFE_INTEGER / SECOND)) {
    throw new UsageError(`${option}: found "${text}", expected seconds from the start of the run`);
  }
  return Math.round(seconds * SECOND);
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`--last: found "${text}", expected a whole number above 0`);
  }
  return count;
}

/** Exporters yield a line or less at a time: they leave in larger pieces. */
const PIECE_BYTES = 1 << 18;

function* joined(pieces: Pieces): Generator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for (const piece of pieces) {
    const part = Buffer.from(piece as string);
    parts.push(part);
    length += part.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  yield Buffer.concat(parts);
}

function write(pieces: Pieces, file: OutputFile): void {
  file.begin();
  for (const piece of joined(pieces)) file.write(piece);
  file.close();
}

/** As fast as the reader of a pipe takes it. */
async function print(pieces: Pieces, { stdout }: CommandIo): Promise<void> {
  for (const piece of joined(pieces)) {
    if (!stdout.write(piece)) await new Promise<void>((resolve) => stdout.once('drain', () => resolve()));
  }
}
