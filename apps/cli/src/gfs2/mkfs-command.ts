import { formatUuid, type MkfsOptions, mkfs, mkfsReport, Volume } from '@quorate/gfs2';
import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { wholeNumberOf } from '../options.js';
import { UsageError } from '../usage-error.js';
import { naming, randomPrng, wallNow } from './mounted-volume.js';
import { StoreDevice, withStore } from './volume-image.js';

interface MkfsArguments {
  readonly b?: string;
  readonly c?: string;
  readonly j?: string;
  readonly J?: string;
  readonly r?: string;
  readonly p?: string;
  readonly t?: string;
  readonly U?: string;
  readonly o: readonly string[];
  readonly O?: boolean;
  readonly q?: boolean;
}

/** `quorate gfs2 mkfs`, with the options of mkfs.gfs2(8). */
export function mkfsCommand(io: CommandIo): Command {
  return new Command('mkfs')
    .description('make a file system, with the options of mkfs.gfs2')
    .argument('<image>', 'raw or VHDX image that is there, or iscsi:// of a unit')
    .argument('[block-count]', 'size of the file system (default: the whole image)')
    .option('-b <bytes>', 'block size: 512 to 4096 (default: 4096)')
    .option('-c <MiB>', 'size of each quota change file (default: 1)')
    .option('-j <n>', 'journals: how many nodes can mount at once (default: 1)')
    .option('-J <MiB>', 'size of each journal (default: by the size of the volume)')
    .option('-K', 'do not discard, which is never done')
    .option('-O', 'overwrite a file system that is there')
    .option(
      '-o <key=value,...>',
      'sunit=, swidth= (bytes), align=0|1, format=1801|1802, root_inherit_jdata=0|1',
      (text: string, before: readonly string[]) => [...before, ...text.split(',')],
      [],
    )
    .option('-p <protocol>', 'lock_dlm or lock_nolock (default: lock_dlm)')
    .option('-q', 'print nothing')
    .option('-r <MiB>', 'size of the resource groups (default: 256)')
    .option('-t <table>', 'cluster:filesystem, needed with lock_dlm')
    .option('-U <uuid>', 'default: a random one')
    .action((image: string, blockCount: string | undefined, options: MkfsArguments) =>
      naming(image, () => format(image, mkfsOptionsOf(options, blockCount), options, io)),
    );
}

async function format(
  path: string,
  options: MkfsOptions,
  { O: overwrites = false, q: isQuiet = false }: MkfsArguments,
  { stdout }: CommandIo,
): Promise<void> {
  const result = await withStore(path, (store) => {
    const device = new StoreDevice(store);
    const held = overwrites ? undefined : Volume.open(device);
    if (held !== undefined) {
      throw new UsageError(
        `${path}: found the GFS2 file system ${formatUuid(held.superblock.uuid)}, expected -O as well`,
      );
    }
    return mkfs(options, device);
  });
  if (!isQuiet) stdout.write(mkfsReport(result, path));
}

function mkfsOptionsOf(given: MkfsArguments, blockCount: string | undefined): MkfsOptions {
  const number = (letter: string, text: string | undefined): number | undefined =>
    text === undefined ? undefined : wholeNumberOf(letter, text, 0, 2 ** 53 - 1);
  const options = {
    blockSize: number('-b', given.b),
    blocks: number('block-count', blockCount),
    journals: number('-j', given.j),
    journalMiB: number('-J', given.J),
    rgrpMiB: number('-r', given.r),
    quotaChangeMiB: number('-c', given.c),
    lockProtocol: given.p,
    lockTable: given.t,
    uuid: given.U === undefined ? undefined : uuidOf(given.U),
    ...extendedOptionsOf(given.o),
  };
  const present = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...present, wall: wallNow(), prng: randomPrng() };
}

const EXTENDED = ['sunit', 'swidth', 'align', 'format', 'root_inherit_jdata'];

/** `-o`: each key at most once counts, the last one. */
function extendedOptionsOf(texts: readonly string[]) {
  const values = new Map<string, number>();
  for (const text of texts) {
    const [key = '', value = ''] = text.split('=');
    if (!EXTENDED.includes(key)) throw new UsageError(`-o: found "${text}", expected one of ${EXTENDED.join(', ')}`);
    const isSwitch = key === 'align' || key === 'root_inherit_jdata';
    values.set(key, wholeNumberOf(`-o ${key}`, value, 0, isSwitch ? 1 : 2 ** 53 - 1));
  }
  const [unitBytes, widthBytes] = [values.get('sunit'), values.get('swidth')];
  if ((unitBytes === undefined) !== (widthBytes === undefined)) {
    throw new UsageError('-o: found one of sunit and swidth, expected both');
  }
  const isStriped = unitBytes !== undefined && values.get('align') !== 0;
  return {
    stripe: isStriped ? { unitBytes, widthBytes: widthBytes! } : undefined,
    format: values.get('format'),
    isRootJournaled: values.get('root_inherit_jdata') === 1,
  };
}

function uuidOf(text: string): Uint8Array {
  const digits = text.replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) throw new UsageError(`-U: found "${text}", expected a UUID of 32 digits`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}
