import { createReadStream, fstatSync, openSync } from 'node:fs';
import { discoverIscsi, type IscsiDisk, parseIscsiUrl } from '@quorate/iscsi/node';
import { decodeLuns, reportLuns } from '@quorate/scsi';
import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { sizeText } from '../disk/sizes.js';
import { wholeNumberOf } from '../options.js';
import { OutputFile } from '../output-file.js';
import { UsageError } from '../usage-error.js';
import { told, withDisk } from './remote-disk.js';

/** `quorate iscsi ls`, `read` and `write`: units of any target. */
export function unitCommands(io: CommandIo): readonly Command[] {
  return [
    new Command('ls')
      .description("a portal's targets and their units, or one unit")
      .argument('<url>', 'iscsi://[user%secret@]host[:port][/target/lun]')
      .action((url: string) => told(url, () => list(url, io))),
    new Command('read')
      .description('read blocks to standard output, or to a file')
      .argument('<url>', 'iscsi://[user%secret@]host[:port]/target/lun')
      .option('--lba <n>', 'first block', '0')
      .option('--blocks <n>', 'how many; default all to the end')
      .option('--out <file>', 'where to')
      .action((url: string, options: { lba: string; blocks?: string; out?: string }) =>
        told(url, () => read(url, options, io)),
      ),
    new Command('write')
      .description('write a file, or standard input, onto blocks; zeros fill the last one')
      .argument('<url>', 'iscsi://[user%secret@]host[:port]/target/lun')
      .argument('[file]', 'default: standard input')
      .option('--lba <n>', 'first block', '0')
      .action((url: string, file: string | undefined, options: { lba: string }) =>
        told(url, () => write(url, file, options, io)),
      ),
  ];
}

async function list(url: string, io: CommandIo): Promise<void> {
  const { target } = parseIscsiUrl(url);
  const tell = async (unit: string, disk: IscsiDisk, indent = ''): Promise<void> => {
    io.stdout.write(`${indent}${await unitLine(unit, disk)}\n`);
  };
  if (target !== undefined) return withDisk(url, (disk) => tell(url, disk));
  const login = /^iscsi:\/\/([^@/]+@)?/.exec(url)![1] ?? '';
  for (const { name, addresses } of await discoverIscsi(url)) {
    const [address = ''] = addresses;
    const portal = address.replace(/,\d+$/, '');
    io.stdout.write(`${name} at ${addresses.join(' ')}\n`);
    const luns = await withDisk(`iscsi://${login}${portal}/${name}/0`, async (disk) =>
      decodeLuns((await disk.execute(reportLuns(), 8192)).data),
    );
    for (const lun of luns) {
      const unit = `iscsi://${login}${portal}/${name}/${lun}`;
      await withDisk(unit, (disk) => tell(unit, disk, '  '));
    }
  }
}

async function unitLine(url: string, disk: IscsiDisk): Promise<string> {
  const { vendor, product } = await disk.inquiry();
  const { blocks, blockLength } = await disk.readCapacity();
  const shown = url.replace(/\/\/[^@/]+@/, '//');
  return `${shown}  ${vendor.trim()} ${product.trim()}, ${sizeText(blocks * blockLength)}, ${blocks} blocks of ${blockLength} bytes`;
}

async function read(
  url: string,
  options: { lba: string; blocks?: string; out?: string },
  io: CommandIo,
): Promise<void> {
  const lba = wholeNumberOf('--lba', options.lba, 0, Number.MAX_SAFE_INTEGER);
  const out = options.out === undefined ? undefined : new OutputFile('--out', options.out);
  await withDisk(url, async (disk) => {
    const { blocks: all, blockLength } = await disk.readCapacity();
    if (lba >= all) throw new UsageError(`--lba: found ${lba}, expected less than the ${all} blocks that there are`);
    const count = options.blocks === undefined ? all - lba : wholeNumberOf('--blocks', options.blocks, 1, all - lba);
    out?.begin();
    const most = PIECE_BYTES / blockLength;
    for (let done = 0; done < count; done += most) {
      const bytes = await disk.read(lba + done, Math.min(most, count - done));
      if (out !== undefined) out.write(bytes);
      else if (!io.stdout.write(bytes)) await new Promise((resolve) => io.stdout.once('drain', resolve));
    }
    out?.close();
  });
}

/** What is in memory at a time. */
const PIECE_BYTES = 8 * 1024 * 1024;

async function write(url: string, file: string | undefined, options: { lba: string }, io: CommandIo): Promise<void> {
  const lba = wholeNumberOf('--lba', options.lba, 0, Number.MAX_SAFE_INTEGER);
  const descriptor = file === undefined ? STANDARD_INPUT : opened(file);
  await withDisk(url, async (disk) => {
    const { blocks, blockLength } = await disk.readCapacity();
    const room = Math.max(0, blocks - lba) * blockLength;
    const size = file === undefined ? 0 : fstatSync(descriptor).size;
    if (size > room) throw new UsageError(`found ${size} bytes, expected at most the ${room} from block ${lba} on`);
    let count = 0;
    for await (const piece of piecesOf(descriptor)) {
      const length = Math.ceil(piece.length / blockLength);
      if (count + length > room / blockLength) {
        throw new UsageError(`found more than the ${room} bytes from block ${lba} on; ${count} blocks are written`);
      }
      const bytes = new Uint8Array(length * blockLength);
      bytes.set(piece);
      await disk.write(lba + count, bytes);
      count += length;
    }
    await disk.flush();
    io.stderr.write(`wrote ${count} blocks from block ${lba} on\n`);
  });
}

const STANDARD_INPUT = 0;

/** All of a file in pieces of the same length; the last may be shorter. */
async function* piecesOf(descriptor: number): AsyncIterable<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of createReadStream('', { fd: descriptor, highWaterMark: PIECE_BYTES })) {
    waiting.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length < PIECE_BYTES) continue;
    const bytes = Buffer.concat(waiting);
    const whole = length - (length % PIECE_BYTES);
    for (let at = 0; at < whole; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
    waiting = [bytes.subarray(whole)];
    length -= whole;
  }
  if (length > 0) yield Buffer.concat(waiting);
}

function opened(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
