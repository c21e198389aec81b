import { existsSync, unlinkSync } from 'node:fs';
import { NodeFile, refuseIfLocked } from '@quorate/scsi/node';
import { checkVhdx, type VhdxInfo } from '@quorate/vhdx';
import { createVhdxFile } from '@quorate/vhdx/node';
import { Command, Option } from 'commander';
import type { CommandIo } from '../command-io.js';
import { UsageError } from '../usage-error.js';
import { Exit } from '../verdict.js';
import {
  copy,
  type DiskFormat,
  type DiskImage,
  FORMATS,
  formatForName,
  formatOf,
  naming,
  openDiskImage,
} from './disk-image.js';
import { askForResize } from './image-control.js';
import { type ResizeRequest, resizeImage } from './resize-image.js';
import { sizeOf, sizeText } from './sizes.js';

interface LayoutOptions {
  readonly format?: DiskFormat;
  readonly type?: 'dynamic' | 'fixed';
  readonly blockSize?: string;
  readonly sector?: '512' | '4096';
}

/** `quorate disk`: image files, raw and VHDX. Its actions' exit codes go to `exit`. */
export function diskCommand(io: CommandIo, exit: (code: number) => void): Command {
  return new Command('disk')
    .description('make, look at and change image files of disks, raw and VHDX')
    .addCommand(
      withLayout(new Command('create').description('make an image of zeros'))
        .argument('<file>', 'a file that is not there yet; .vhdx asks for that format')
        .argument('<size>', 'of the disk: 64M, 100G, …')
        .action((file: string, size: string, options: LayoutOptions) => {
          create(file, sizeOf('size', size), options);
        }),
    )
    .addCommand(
      new Command('info')
        .description('say what an image is')
        .argument('<file>')
        .option('--json', 'as JSON')
        .action((file: string, options: { readonly json?: boolean }) => info(file, options.json === true, io)),
    )
    .addCommand(
      new Command('check')
        .description('look at every structure of an image, and change nothing; exit code 1 for errors')
        .argument('<file>')
        .action((file: string) => exit(check(file, io))),
    )
    .addCommand(
      withLayout(new Command('convert').description('copy an image into another, of another format if asked'))
        .argument('<from>', 'an image')
        .argument('<to>', 'a file that is not there yet; .vhdx asks for that format')
        .action((from: string, to: string, options: LayoutOptions) => convert(from, to, options)),
    )
    .addCommand(
      new Command('resize')
        .description('change the size of the disk in an image, also of one that `quorate iscsi serve` has open')
        .argument('<file>')
        .argument('<size>', 'the new size, or +SIZE for so much more')
        .option('--discard', 'may throw away what lies beyond a smaller size')
        .action((file: string, size: string, options: { readonly discard?: boolean }) =>
          resize(file, { size, isDiscarding: options.discard === true }),
        ),
    );
}

function withLayout(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'default: by the name of the file').choices(FORMATS))
    .addOption(
      new Option('--type <type>', 'VHDX: whether blocks get their place when they are written').choices([
        'dynamic',
        'fixed',
      ]),
    )
    .option('--block-size <size>', 'VHDX: from 1M to 256M, a power of two (default: 32M)')
    .addOption(new Option('--sector <bytes>', 'VHDX: logical sector size').choices(['512', '4096']));
}

function create(path: string, size: number, options: LayoutOptions): void {
  const format = options.format ?? formatForName(path);
  const { type, blockSize, sector } = options;
  if (format === 'raw') {
    const [unused] =
      Object.entries({ '--type': type, '--block-size': blockSize, '--sector': sector }).find(
        ([, value]) => value !== undefined,
      ) ?? [];
    if (unused !== undefined) throw new UsageError(`${unused}: a raw image has none, expected --format vhdx`);
    if (size % 512 !== 0) throw new UsageError(`size: found ${size}, expected a multiple of 512 bytes`);
    return naming(path, () => {
      const file = new NodeFile(path, { isNew: true });
      file.resize(size);
      file.close();
    });
  }
  naming(path, () =>
    createVhdxFile(path, {
      size,
      ...(type && { kind: type }),
      ...(blockSize !== undefined && { blockSize: sizeOf('--block-size', blockSize) }),
      ...(sector !== undefined && { logicalSectorSize: Number(sector) }),
    }),
  );
}

function info(path: string, isJson: boolean, { stdout }: CommandIo): void {
  using(openDiskImage(path, { isReadOnly: true }), (image) => {
    const { store, vhdx } = image;
    const facts = {
      file: path,
      format: vhdx === undefined ? 'raw' : 'vhdx',
      size: store.blocks * store.blockLength,
      fileSize: image.fileSize(),
      ...vhdx?.info,
    };
    if (isJson) {
      const plain = JSON.stringify(
        facts,
        (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value),
        2,
      );
      return stdout.write(`${plain}\n`);
    }
    const lines = [
      ['file', path],
      ['format', vhdx === undefined ? 'raw' : `VHDX, ${vhdx.info.kind}`],
      ['disk size', `${sizeText(facts.size)} (${facts.size} bytes)`],
      ['file size', `${sizeText(facts.fileSize)} (${facts.fileSize} bytes)`],
      ...(vhdx === undefined ? [] : vhdxLines(vhdx.info)),
    ];
    return stdout.write(lines.map(([name, value]) => `${`${name}:`.padEnd(18)}${value}\n`).join(''));
  });
}

function vhdxLines(info: VhdxInfo): string[][] {
  return [
    ['block size', sizeText(info.blockSize)],
    ['blocks in place', `${info.presentBlocks} of ${info.payloadBlocks}`],
    ['sectors', `${info.logicalSectorSize} bytes logical, ${info.physicalSectorSize} bytes physical`],
    ['disk id', info.diskId],
    ['log', info.isLogEmpty ? 'empty' : 'to be replayed'],
    ['made by', info.creator],
  ];
}

function check(path: string, { stdout }: CommandIo): number {
  if (formatOf(path) === 'raw') {
    stdout.write(`${path}: a raw image has no structures to check\n`);
    return Exit.passed;
  }
  const findings = naming(path, () => {
    refuseIfLocked(path);
    const file = new NodeFile(path, { isReadOnly: true });
    try {
      return checkVhdx(file);
    } finally {
      file.close();
    }
  });
  for (const { severity, message } of findings) stdout.write(`${severity}: ${message}\n`);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  stdout.write(
    findings.length === 0 ? `${path}: no errors\n` : `${path}: ${errors} errors, ${findings.length - errors} remarks\n`,
  );
  return errors === 0 ? Exit.passed : Exit.safety;
}

function convert(from: string, to: string, options: LayoutOptions): void {
  using(openDiskImage(from, { isReadOnly: true }), ({ store }) => {
    if (existsSync(to)) throw new UsageError(`${to}: EEXIST`);
    const sector = options.sector ?? (store.blockLength === 4096 ? '4096' : undefined);
    const isRaw = (options.format ?? formatForName(to)) === 'raw';
    create(to, store.blocks * store.blockLength, isRaw ? options : { ...options, ...(sector && { sector }) });
    try {
      using(openDiskImage(to, { isReadOnly: false }), (target) => copy(store, target.store));
    } catch (error) {
      unlinkSync(to);
      throw error;
    }
  });
}

async function resize(path: string, request: ResizeRequest): Promise<void> {
  if (await askForResize(path, request)) return;
  using(openDiskImage(path, { isReadOnly: false }), (image) => resizeImage(image, request));
}

function using<Result>(image: DiskImage, work: (image: DiskImage) => Result): Result {
  let result: Result;
  try {
    result = work(image);
  } catch (error) {
    image.close();
    throw error;
  }
  image.close();
  return result;
}
