import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Volume, volumeListing } from '@quorate/gfs2';
import type { DirectoryEntry, Gfs2Client } from '@quorate/gfs2/client';
import { VOLUME } from '@quorate/lab';
import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { withTrace } from '../trace-file.js';
import { UsageError } from '../usage-error.js';
import { BlockWriters } from './block-writers.js';
import { type FsckOptions, fsck } from './fsck.js';
import { mkfsCommand } from './mkfs-command.js';
import { changed, mounted } from './mounted-volume.js';
import { growCommand, jaddCommand, trimCommand } from './upkeep-commands.js';
import { StoreDevice } from './volume-image.js';
import { volumePicture } from './volume-picture.js';
import { columns, modeText, statText, timeText } from './volume-text.js';

const IMAGE = 'raw or VHDX image, or iscsi:// of a unit';

/** `quorate gfs2`: GFS2 volumes in image files. Its actions' exit codes go to `exit`. */
export function gfs2Command(io: CommandIo, exit: (code: number) => void): Command {
  const reading = (name: string, description: string): Command =>
    new Command(name).description(description).argument('<image>', IMAGE);
  return new Command('gfs2')
    .description('GFS2 volumes in images: make, look at, check, read and write')
    .addCommand(mkfsCommand(io))
    .addCommand(growCommand(io))
    .addCommand(jaddCommand(io))
    .addCommand(trimCommand(io))
    .addCommand(
      reading('list', 'every object with its attributes and the hash of its content').action((image: string) =>
        mounted(image, io, (_client, { store }, unmount) => list(new StoreDevice(store), unmount, io)),
      ),
    )
    .addCommand(
      reading('ls', 'what is in a directory')
        .argument('[path]', 'in the volume', '/')
        .option('-l', 'with mode, links, owner, size and time')
        .action((image: string, path: string, { l = false }: { readonly l?: boolean }) =>
          mounted(image, io, (client) => ls(client, path, l, io)),
        ),
    )
    .addCommand(
      reading('cat', 'the content of a file')
        .argument('<path>', 'in the volume')
        .action((image: string, path: string) =>
          mounted(image, io, async (client) => void io.stdout.write(await client.readFile(path))),
        ),
    )
    .addCommand(
      reading('stat', 'what is known of an object')
        .argument('<path>', 'in the volume')
        .action((image: string, path: string) =>
          mounted(image, io, async (client) => void io.stdout.write(statText(path, await client.lstat(path)))),
        ),
    )
    .addCommand(
      reading('df', 'how full the volume is').action((image: string) =>
        mounted(image, io, async (client) => {
          const { blockSize, blocks, free, dinodes } = await client.statfs();
          const used = blocks - free;
          const lines = [
            ['Filesystem', 'Blocks', 'Used', 'Available', 'Use%', 'Inodes', 'Block size'],
            [image, blocks, used, free, `${Math.ceil((100 * used) / blocks)}%`, dinodes, blockSize].map(String),
          ];
          io.stdout.write(columns(lines));
        }),
      ),
    )
    .addCommand(
      new Command('cp')
        .description('copy a file into the volume or out of it; a path in the volume begins with a colon')
        .argument('<image>', IMAGE)
        .argument('<from>', 'file, or :/path')
        .argument('<to>', ':/path, or file')
        .action((image: string, from: string, to: string) => cp(image, from, to, io)),
    )
    .addCommand(
      new Command('rm')
        .description('remove a file, or with -r a directory and all in it')
        .argument('<image>', IMAGE)
        .argument('<path>', 'in the volume')
        .option('-r', 'with everything in it')
        .action((image: string, path: string, { r = false }: { readonly r?: boolean }) =>
          changed(image, io, (client) => rm(client, path, r)),
        ),
    )
    .addCommand(
      reading('visualize', 'resource groups and what is in them, as an SVG picture')
        .option('-o <file>', 'where to write it (default: standard output)')
        .option('--trace <file>', 'of the run that left it: blocks have the colour of the node that wrote them last')
        .option('--at <lun:sector>', "where on that run's disks it begins", `${VOLUME.lun}:${VOLUME.start}`)
        .action((image: string, { o, trace, at }: PictureOptions) =>
          mounted(image, io, async (client, { store }) => {
            await client.unmount();
            const volume = volumeOf(new StoreDevice(store));
            const run = trace === undefined ? undefined : await writersOf(trace, at, volume);
            const picture = volumePicture(volume, run);
            if (o === undefined) io.stdout.write(picture);
            else toHost(o, new TextEncoder().encode(picture));
          }),
        ),
    )
    .addCommand(
      reading('fsck', 'check a volume, and mend it with -y; exit codes as fsck.gfs2')
        .option('-n', 'change nothing (default)')
        .option('-y', 'mend everything that can be mended')
        .option('-q', 'print nothing but what is left')
        .option('--quotas', 'look at the quota records too, which fsck.gfs2 does not')
        .action(async (image: string, options: FsckOptions) => exit(await fsck(image, options, io))),
    );
}

interface PictureOptions {
  readonly o?: string;
  readonly trace?: string;
  readonly at: string;
}

/** @throws {UsageError} for a file that is no trace, or another place than `lun:sector`. */
function writersOf(path: string, at: string, { geometry: { blockSize } }: Volume): Promise<BlockWriters> {
  const [, lun, start] = /^(\d+):(\d+)$/.exec(at) ?? [];
  if (start === undefined)
    throw new UsageError(`--at: found "${at}", expected lun:sector, as ${VOLUME.lun}:${VOLUME.start}`);
  const place = { lun: Number(lun), start: Number(start), blockSize };
  return withTrace(path, (recorded) => new BlockWriters(recorded, place));
}

async function list(device: StoreDevice, unmount: () => Promise<void>, { stdout }: CommandIo): Promise<void> {
  await unmount();
  const volume = volumeOf(device);
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  for (const line of volumeListing(volume, sha256)) stdout.write(`${line}\n`);
}

function volumeOf(device: StoreDevice): Volume {
  const volume = Volume.open(device);
  if (volume === undefined) throw new UsageError('found no GFS2 superblock, expected a volume');
  return volume;
}

async function ls(client: Gfs2Client, path: string, isLong: boolean, { stdout }: CommandIo): Promise<void> {
  const entries = [...(await client.readdir(path))].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (!isLong || entries.length === 0) return void stdout.write(entries.map(({ name }) => `${name}\n`).join(''));
  const lines: string[][] = [];
  for (const entry of entries) lines.push(await longLine(client, path, entry));
  stdout.write(columns(lines, [1, 4]));
}

async function longLine(client: Gfs2Client, directory: string, entry: DirectoryEntry): Promise<string[]> {
  const path = `${directory.replace(/\/$/, '')}/${entry.name}`;
  const { mode, links, uid, gid, size, mtime } = await client.lstat(path);
  const target = entry.type === 'symlink' ? ` -> ${await client.readlink(path)}` : '';
  return [modeText(mode), String(links), String(uid), String(gid), String(size), timeText(mtime), entry.name + target];
}

async function cp(image: string, from: string, to: string, io: CommandIo): Promise<void> {
  const [source, target] = [inVolume(from), inVolume(to)];
  if (source === undefined && target === undefined) {
    throw new UsageError(`found ${from} and ${to}, expected a path in the volume, which begins with a colon`);
  }
  if (target !== undefined) {
    return changed(image, io, async (client) => {
      const content = source === undefined ? fromHost(from) : await client.readFile(source);
      await client.writeFile(target, content);
    });
  }
  await mounted(image, io, async (client) => toHost(to, await client.readFile(source!)));
}

function inVolume(path: string): string | undefined {
  return path.startsWith(':') ? path.slice(1) : undefined;
}

function fromHost(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

function toHost(path: string, content: Uint8Array): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

async function rm(client: Gfs2Client, path: string, isRecursive: boolean): Promise<void> {
  const { type } = await client.lstat(path);
  if (type !== 'directory') return client.unlink(path);
  if (!isRecursive) throw new UsageError(`${path}: found a directory, expected a file, or -r`);
  for (const { name } of await client.readdir(path)) await rm(client, `${path.replace(/\/$/, '')}/${name}`, true);
  await client.rmdir(path);
}
