import {
  type Errno,
  isErrno,
  type Os,
  type Program,
  SECOND,
  strerror,
  type Task,
  utf8Bytes,
  utf8Text,
} from '@quorate/kernel';
import { sectorDevice } from '../os/sector-device.js';
import type { Storage } from '../os/storage.js';
import { deviceBytes } from './device-bytes.js';

/** What a command line of dd says. */
interface Wanted {
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Bytes of a block. */
  readonly block: number;
  readonly count: number;
  /** Blocks that are left out at the beginning of the input and of the output. */
  readonly skip: number;
  readonly seek: number;
  readonly keepsRest: boolean;
  /** On stable storage: at the end, or after each block. */
  readonly syncs: 'never' | 'end' | 'block';
}

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  c: 1,
  w: 2,
  b: 512,
  kB: 1000,
  K: 1024,
  MB: 1_000_000,
  M: 1 << 20,
  GB: 1_000_000_000,
  G: 2 ** 30,
};
const NUMBERS = ['bs', 'count', 'skip', 'seek'];
const CONVERSIONS = ['notrunc', 'fsync', 'fdatasync'];
const FLAGS = ['direct', 'dsync', 'sync'];
/** The root file system takes what memory there is. */
const ROOT_FILE_BYTES_MAX = 64 << 20;

/** `dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc,fsync] [iflag=direct] [oflag=direct,dsync,sync]`: copies blocks. */
export function dd(storage: Storage): Program {
  return function* (argv, os) {
    const wanted = parse(argv.slice(1));
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

function parse(words: readonly string[]): Wanted | string {
  const given = new Map<string, string>();
  for (const word of words) {
    const [, name = '', value = ''] = /^([a-z]+)=(.*)$/s.exec(word) ?? [];
    if (!['if', 'of', 'conv', 'iflag', 'oflag', ...NUMBERS].includes(name)) return `unrecognized operand \`${word}'`;
    given.set(name, value);
  }
  const number = (name: string, otherwise: number): number => sizeOf(given.get(name)) ?? otherwise;
  const wrong = NUMBERS.find(
    (name) => given.has(name) && (sizeOf(given.get(name)) ?? (name === 'bs' ? 0 : -1)) < (name === 'bs' ? 1 : 0),
  );
  if (wrong !== undefined) return `invalid number \`${given.get(wrong)}'`;
  const list = (name: string): readonly string[] => given.get(name)?.split(',') ?? [];
  const conversion = list('conv').find((each) => !CONVERSIONS.includes(each));
  if (conversion !== undefined) return `invalid conversion: \`${conversion}'`;
  for (const [name, what] of [
    ['iflag', 'input'],
    ['oflag', 'output'],
  ] as const) {
    const flag = list(name).find((each) => !FLAGS.includes(each));
    if (flag !== undefined) return `invalid ${what} flag: \`${flag}'`;
  }
  const isSynced = list('oflag').some((flag) => flag !== 'direct');
  return {
    from: given.get('if'),
    to: given.get('of'),
    block: number('bs', 512),
    count: number('count', Number.POSITIVE_INFINITY),
    skip: number('skip', 0),
    seek: number('seek', 0),
    keepsRest: list('conv').includes('notrunc'),
    syncs: isSynced ? 'block' : list('conv').some((each) => each !== 'notrunc') ? 'end' : 'never',
  };
}

/** `4k`, `1M`, `512`; undefined when it is no size. */
function sizeOf(text: string | undefined): number | undefined {
  const [, digits, suffix = ''] = /^(\d+)([A-Za-z]*)$/.exec(text ?? '') ?? [];
  const factor = SUFFIXES[suffix === 'k' ? 'K' : suffix];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** The next block: shorter at the end, and empty behind it. */
type Source = (length: number) => Task<Uint8Array | Errno>;

/** Or why there is none. */
function* sourceOf(os: Os, storage: Storage, { from, to, block, count, skip }: Wanted): Task<Source | string> {
  if (from === '/dev/zero') {
    const isEndless = count === Number.POSITIVE_INFINITY && storage.disks.device(to ?? '') === undefined;
    if (isEndless) return '/dev/zero has no end: count= is missing';
    return function* (length) {
      return new Uint8Array(length);
    };
  }
  const device = from === undefined ? undefined : storage.disks.device(from);
  let at = skip * block;
  if (device !== undefined) {
    const bytes = deviceBytes(sectorDevice(device));
    return function* (length) {
      const read = yield* bytes.read(at, Math.min(length, bytes.length - at));
      at += length;
      return read;
    };
  }
  const whole =
    from === undefined ? utf8Bytes(os.input) : from === '/dev/null' ? new Uint8Array(0) : yield* os.readFile(from);
  if (isErrno(whole)) return `opening \`${from}': ${strerror(whole)}`;
  if (at > whole.length) return `\`${from ?? 'standard input'}': cannot skip to specified offset`;
  return function* (length) {
    at += length;
    return whole.subarray(at - length, at);
  };
}

interface Sink {
  readonly name: string;
  write(bytes: Uint8Array): Task<Errno | undefined>;
  sync(): Task<Errno | undefined>;
  /** What a file has behind the end of the copy. */
  rest?(): Uint8Array;
}

/** Or why there is none. */
function* sinkOf(os: Os, storage: Storage, { to, block, seek, keepsRest }: Wanted): Task<Sink | string> {
  const nothing = function* (): Task<undefined> {};
  if (to === undefined || to === '/dev/null') {
    const print = function* (bytes: Uint8Array): Task<undefined> {
      if (to === undefined) os.print(utf8Text(bytes));
    };
    return { name: to ?? 'standard output', write: print, sync: nothing };
  }
  let at = seek * block;
  const device = storage.disks.device(to);
  if (device !== undefined) {
    const target = deviceBytes(sectorDevice(device));
    return {
      name: to,
      *write(bytes) {
        const offset = at;
        at += bytes.length;
        return offset + bytes.length > target.length ? 'ENOSPC' : yield* target.write(offset, bytes);
      },
      sync: nothing,
    };
  }
  if (to.startsWith('/dev/')) return `opening \`${to}': ${strerror('ENOENT')}`;
  return yield* fileSink(os, to, at, keepsRest);
}

/** What a file has before `offset` stays, and with `keepsRest` what is behind the end of the copy too. */
function* fileSink(os: Os, path: string, offset: number, keepsRest: boolean): Task<Sink | string> {
  const found = offset > 0 || keepsRest ? yield* os.readFile(path) : 'ENOENT';
  const old = isErrno(found) ? new Uint8Array(0) : found.slice();
  const head = new Uint8Array(offset);
  head.set(old.subarray(0, offset));
  const opened = yield* os.writeFile(path, head);
  if (isErrno(opened)) return `opening \`${path}': ${strerror(opened)}`;
  const isOnRoot = isErrno(yield* os.space(path));
  let length = offset;
  return {
    name: path,
    *write(bytes) {
      if (isOnRoot && length + bytes.length > ROOT_FILE_BYTES_MAX) return 'EFBIG';
      length += bytes.length;
      const written = yield* os.writeFile(path, bytes, { append: true });
      return isErrno(written) ? written : undefined;
    },
    *sync() {
      return yield* os.sync(path);
    },
    ...(keepsRest && { rest: () => old.subarray(length) }),
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
