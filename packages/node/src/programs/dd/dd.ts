import { isErrno, type Program, SECOND, strerror, type Task } from '@quorate/kernel';
import type { Storage } from '../../os/storage.js';
import { parseWanted, type Wanted } from './options.js';
import { type Sink, sinkOf } from './sink.js';
import { type Source, sourceOf } from './source.js';

/** `dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc,fsync] [iflag=direct] [oflag=direct,dsync,sync]`: copies blocks. */
export function dd(storage: Storage): Program {
  return function* (argv, os) {
    const wanted = parseWanted(argv.slice(1));
    if (typeof wanted === 'string') {
      os.printError(`dd: ${wanted}\n`);
      return 1;
    }
    const start = os.now();
    const source = yield* sourceOf(os, storage, wanted);
    if (typeof source === 'string') {
      os.printError(`dd: ${source}\n`);
      return 1;
    }
    const sink = yield* sinkOf(os, storage, wanted);
    if (typeof sink === 'string') {
      os.printError(`dd: ${sink}\n`);
      return 1;
    }
    const copied = yield* copy(source, sink, wanted);
    if (copied.complaint !== undefined) os.printError(`dd: ${copied.complaint}\n`);
    os.printError(summary(copied, (os.now() - start) / SECOND));
    return copied.complaint === undefined ? 0 : 1;
  };
}

/** Blocks that were whole, and others. */
interface Records {
  whole: number;
  partial: number;
}

interface Copied {
  readonly read: Records;
  readonly written: Records;
  readonly bytes: number;
  readonly complaint: string | undefined;
}

function* copy(source: Source, sink: Sink, wanted: Wanted): Task<Copied> {
  const read = { whole: 0, partial: 0 };
  const written = { whole: 0, partial: 0 };
  let [bytes, complaint]: [number, string | undefined] = [0, undefined];
  while (read.whole + read.partial < wanted.count) {
    const block = yield* source(wanted.block);
    if (isErrno(block)) complaint = `reading \`${wanted.from}': ${strerror(block)}`;
    if (isErrno(block) || block.length === 0) break;
    const kind = block.length === wanted.block ? 'whole' : 'partial';
    read[kind] += 1;
    const failed = (yield* sink.write(block)) ?? (wanted.syncs === 'block' ? yield* sink.sync() : undefined);
    if (failed !== undefined) {
      complaint = `writing \`${sink.name}': ${strerror(failed)}`;
      break;
    }
    written[kind] += 1;
    bytes += block.length;
  }
  const rest = sink.rest?.() ?? new Uint8Array(0);
  const failed =
    (rest.length > 0 ? yield* sink.write(rest) : undefined) ??
    (wanted.syncs === 'end' ? yield* sink.sync() : undefined);
  if (failed !== undefined) complaint ??= `fsync failed for \`${sink.name}': ${strerror(failed)}`;
  return { read, written, bytes, complaint };
}

function summary({ read, written, bytes }: Copied, seconds: number): string {
  const rate = seconds > 0 ? decimalSize(bytes / seconds) : 'Infinity B';
  const records = ({ whole, partial }: Records): string => `${whole}+${partial} records`;
  const short = bytes < 1000 ? `${bytes} B` : decimalSize(bytes);
  return `${records(read)} in\n${records(written)} out\n${bytes} byte${bytes === 1 ? '' : 's'} (${short}) copied, ${Number(seconds.toPrecision(6))} s, ${rate}/s\n`;
}

/** `1.0 MB`, `52 kB`. */
function decimalSize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  for (; size >= 1000 && unit < 4; unit += 1) size /= 1000;
  const text = unit > 0 && size < 9.95 ? size.toFixed(1) : size.toFixed(0);
  return `${text} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`;
}
