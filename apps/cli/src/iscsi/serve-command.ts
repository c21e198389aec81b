import type { ChapSecret } from '@quorate/iscsi';
import { IscsiServer } from '@quorate/iscsi/node';
import { Command, Option } from 'commander';
import type { CommandIo } from '../command-io.js';
import { ImageControl } from '../disk/image-control.js';
import { resizeImage } from '../disk/resize-image.js';
import { OutputFile } from '../output-file.js';
import { UsageError } from '../usage-error.js';
import { lunOptionOf, openUnit, type ServedUnit } from './lun-option.js';
import { ServeCapture } from './serve-capture.js';
import { ServeLog } from './serve-log.js';

interface ServeOptions {
  readonly portal: string;
  readonly iqn: string;
  readonly lun: readonly string[];
  readonly chap?: readonly string[];
  readonly mutual?: string;
  readonly allow?: readonly string[];
  readonly pcap?: string;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** `quorate iscsi serve`: a target with image files and memory behind it. */
export function serveCommand(io: CommandIo): Command {
  return new Command('serve')
    .description(
      'serve image files, or memory, until it is interrupted; `quorate disk resize` may resize them meanwhile',
    )
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
    .addOption(new Option('--chap <user:secret>', 'who may log in, with CHAP; may be given again').argParser(collect))
    .option('--mutual <user:secret>', 'what the target proves itself with to who asks')
    .addOption(
      new Option('--allow <iqn>', 'an initiator that may log in, and no other; may be given again').argParser(collect),
    )
    .option('--pcap <file>', 'write what goes over the connections as a pcapng file, for Wireshark')
    .action((options: ServeOptions) => serve(options, io));
}

async function serve(options: ServeOptions, io: CommandIo): Promise<void> {
  const { host, port } = portalOf(options.portal);
  const users = options.chap?.map((text) => secretOf('--chap', text));
  const pcapFile = options.pcap === undefined ? undefined : new OutputFile('--pcap', options.pcap);
  const units: ServedUnit[] = [];
  const controls: ImageControl[] = [];
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
      ...(pcapFile && { tap: new ServeCapture(pcapFile) }),
    });
    const isStopped = io.untilSignal();
    const address = await server.listen().catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`--portal: cannot listen on ${options.portal}: ${error.code}`);
    });
    if (pcapFile !== undefined && address.family === 'IPv6') {
      await server.close();
      throw new UsageError(`--pcap: found --portal at ${address.address}, expected an IPv4 address`);
    }
    for (const unit of units) {
      const control = await controlOf(unit, options.iqn, server, io);
      if (control !== undefined) controls.push(control);
    }
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    io.stdout.write(`iscsi://${name}:${address.port}/${options.iqn}/0\n`);
    await isStopped;
    await server.close();
  } finally {
    for (const control of controls) await control.close();
    for (const unit of units) unit.close();
    pcapFile?.close();
  }
}

/** Lets `quorate disk resize` change the image behind a unit; undefined for memory and for what is read only. */
async function controlOf(
  { unit, image }: ServedUnit,
  iqn: string,
  server: IscsiServer,
  io: CommandIo,
): Promise<ImageControl | undefined> {
  if (image === undefined || unit.isWriteProtected === true) return undefined;
  const control = new ImageControl(image.path, (request) => {
    resizeImage(image, request);
    server.capacityChanged(iqn, unit.lun);
  });
  try {
    await control.listen();
    return control;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    io.stderr.write(`LUN ${unit.lun}: cannot be resized while it is served, no socket beside the image: ${code}\n`);
    return undefined;
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
