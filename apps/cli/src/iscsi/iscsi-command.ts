import { readFileSync } from 'node:fs';
import type { ChapSecret } from '@quorate/iscsi';
import {
  connectIscsi,
  discoverIscsi,
  type IscsiDisk,
  IscsiError,
  IscsiServer,
  parseIscsiUrl,
  ScsiStatusError,
} from '@quorate/iscsi/node';
import { ConfigError } from '@quorate/kernel';
import { decodeLuns, reportLuns } from '@quorate/scsi';
import { Command, Option } from 'commander';
import type { CommandIo } from '../command-io.js';
import { sizeText } from '../disk/sizes.js';
import { wholeNumberOf } from '../options.js';
import { OutputFile } from '../output-file.js';
import { UsageError } from '../usage-error.js';
import { lunOptionOf, openUnit, type ServedUnit } from './lun-option.js';
import { ServeLog } from './serve-log.js';

interface ServeOptions {
  readonly portal: string;
  readonly iqn: string;
  readonly lun: readonly string[];
  readonly chap?: readonly string[];
  readonly mutual?: string;
  readonly allow?: readonly string[];
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** `quorate iscsi`: serves units over TCP, and uses those of other targets. */
export function iscsiCommand(io: CommandIo): Command {
  return new Command('iscsi')
    .description('serve disks over iSCSI, or use those of a target')
    .addCommand(
      new Command('serve')
        .description('serve image files, or memory, until it is interrupted')
        .option('--portal <host:port>', 'where to listen; port 0 takes a free one', '127.0.0.1:3260')
        .option('--iqn <name>', 'iSCSI name of the target', 'iqn.2024-01.quorate:disks')
        .addOption(
          new Option(
            '--lun <unit>',
            'FILE or mem:SIZE, then any of ,thin ,ro ,removable ,block=4096 ,physical=4096; once for each LUN from 0 on',
          )
            .argParser(collect)
            .makeOptionMandatory(),
        )
        .addOption(
          new Option('--chap <user:secret>', 'who may log in, with CHAP; may be given again').argParser(collect),
        )
        .option('--mutual <user:secret>', 'what the target proves itself with to who asks')
        .addOption(
          new Option('--allow <iqn>', 'an initiator that may log in, and no other; may be given again').argParser(
            collect,
          ),
        )
        .action((options: ServeOptions) => serve(options, io)),
    )
    .addCommand(
      new Command('ls')
        .description("a portal's targets and their units, or one unit")
        .argument('<url>', 'iscsi://[user%secret@]host[:port][/target/lun]')
        .action((url: string) => told(url, () => list(url, io))),
    )
    .addCommand(
      new Command('read')
        .description('read blocks to standard output, or to a file')
        .argument('<url>', 'iscsi://[user%secret@]host[:port]/target/lun')
        .option('--lba <n>', 'first block', '0')
        .option('--blocks <n>', 'how many; default all to the end')
        .option('--out <file>', 'where to')
        .action((url: string, options: { lba: string; blocks?: string; out?: string }) =>
          told(url, () => read(url, options, io)),
        ),
    )
    .addCommand(
      new Command('write')
        .description('write a file, or standard input, onto blocks; zeros fill the last one')
        .argument('<url>', 'iscsi://[user%secret@]host[:port]/target/lun')
        .argument('[file]', 'default: standard input')
        .option('--lba <n>', 'first block', '0')
        .action((url: string, file: string | undefined, options: { lba: string }) =>
          told(url, () => write(url, file, options, io)),
        ),
    );
}

async function serve(options: ServeOptions, io: CommandIo): Promise<void> {
  const { host, port } = portalOf(options.portal);
  const users = options.chap?.map((text) => secretOf('--chap', text));
  const units: ServedUnit[] = [];
  const log = new ServeLog((line) => io.stderr.write(`${line}\n`));
  try {
    for (const [lun, text] of options.lun.entries()) units.push(openUnit(lunOptionOf(text), lun, options.iqn));
    const server = new IscsiServer({
      host,
      port,
      targets: [
        {
          name: options.iqn,
          logicalUnits: units.map(({ unit }) => unit),
          ...(users && { users }),
          ...(options.mutual !== undefined && { mutual: secretOf('--mutual', options.mutual) }),
          ...(options.allow && { initiators: options.allow }),
          observe: log.onScsi,
        },
      ],
      observe: log.onIscsi,
    });
    const isStopped = io.untilSignal();
    const address = await server.listen().catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`--portal: cannot listen on ${options.portal}: ${error.code}`);
    });
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    io.stdout.write(`iscsi://${name}:${address.port}/${options.iqn}/0\n`);
    await isStopped;
    await server.close();
  } finally {
    for (const unit of units) unit.close();
  }
}

function portalOf(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:]+):([0-9]{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new UsageError(`--portal: found "${text}", expected HOST:PORT`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function secretOf(option: string, text: string): ChapSecret {
  const at = text.indexOf(':');
  const [name, secret] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || secret === '') throw new UsageError(`${option}: found "${text}", expected USER:SECRET`);
  return { name, secret };
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
  const given = inputOf(file);
  await withDisk(url, async (disk) => {
    const { blocks, blockLength } = await disk.readCapacity();
    const count = Math.ceil(given.length / blockLength);
    if (lba + count > blocks) {
      throw new UsageError(
        `${given.length} bytes from block ${lba} on: expected at most the ${blocks} blocks that there are`,
      );
    }
    const bytes = new Uint8Array(count * blockLength);
    bytes.set(given);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      await disk.write(lba + at / blockLength, bytes.subarray(at, at + PIECE_BYTES));
    }
    await disk.flush();
    io.stderr.write(`wrote ${count} blocks from block ${lba} on\n`);
  });
}

function inputOf(file: string | undefined): Uint8Array {
  try {
    return readFileSync(file ?? 0);
  } catch (error) {
    throw new UsageError(`cannot read ${file ?? 'standard input'}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

async function withDisk<Result>(url: string, work: (disk: IscsiDisk) => Promise<Result>): Promise<Result> {
  const disk = await connectIscsi(url);
  try {
    return await work(disk);
  } finally {
    await disk.close();
  }
}

/** What the other side refuses, or that it is not there, is one line. */
async function told(url: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isTold = error instanceof IscsiError || error instanceof ScsiStatusError || error instanceof ConfigError;
    if (isTold) throw new UsageError(`${url.replace(/%[^@/]+@/, '@')}: ${error.message}`);
    throw error;
  }
}
