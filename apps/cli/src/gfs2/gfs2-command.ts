import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { check, mkfs, Volume, volumeListing } from '@quorate/gfs2';
import { type DirectoryEntry, Gfs2Client, Gfs2Error } from '@quorate/gfs2/client';
import { ConfigError, Prng, viewOf, type WallTime } from '@quorate/kernel';
import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { wholeNumberOf } from '../options.js';
import { UsageError } from '../usage-error.js';
import { openForReading, openForWriting, StoreDevice, type VolumeImage } from './volume-image.js';
import { columns, modeText, statText, timeText } from './volume-text.js';

interface MkfsArguments {
  readonly b?: string;
  readonly j?: string;
  readonly J?: string;
  readonly r?: string;
  readonly p?: string;
  readonly t?: string;
  readonly U?: string;
  readonly format?: string;
}

/** Exit codes of fsck.gfs2. */
const Fsck = { clean: 0, errorsLeft: 4, operational: 8 } as const;

const IMAGE = 'raw or VHDX image';
const READABLE = `${IMAGE}, or iscsi:// of a unit`;

/** `quorate gfs2`: GFS2 volumes in image files. Its actions' exit codes go to `exit`. */
export function gfs2Command(io: CommandIo, exit: (code: number) => void): Command {
  const reading = (name: string, description: string): Command =>
    new Command(name).description(description).argument('<image>', READABLE);
  return new Command('gfs2')
    .description('GFS2 volumes in images: make, look at, check, read and write')
    .addCommand(mkfsCommand())
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
      reading('fsck', 'check a volume and change nothing; exit codes as fsck.gfs2')
        .option('-n', 'change nothing, which is all that there is yet', true)
        .action(async (image: string) => exit(await fsck(image, io))),
    );
}

function mkfsCommand(): Command {
  return new Command('mkfs')
    .description('make a file system, with the options of mkfs.gfs2')
    .argument('<image>', `${IMAGE} that is there`)
    .option('-b <bytes>', 'block size: 512 to 4096 (default: 4096)')
    .option('-j <n>', 'journals: how many nodes can mount at once (default: 1)')
    .option('-J <MiB>', 'size of each journal (default: by the size of the volume)')
    .option('-r <MiB>', 'size of the resource groups (default: 256)')
    .option('-p <protocol>', 'lock_dlm or lock_nolock (default: lock_dlm)')
    .option('-t <table>', 'cluster:filesystem, needed with lock_dlm')
    .option('-U <uuid>', 'default: a random one')
    .option('--format <n>', '1801 or 1802 (default: 1802)')
    .action((image: string, options: MkfsArguments) => naming(image, () => format(image, options)));
}

async function format(image: string, options: MkfsArguments): Promise<void> {
  const number = (letter: string, text: string | undefined): number | undefined =>
    text === undefined ? undefined : wholeNumberOf(letter, text, 0, 0x7fff_ffff);
  const [blockSize, journals, journalMiB, rgrpMiB, kind] = [
    number('-b', options.b),
    number('-j', options.j),
    number('-J', options.J),
    number('-r', options.r),
    number('--format', options.format),
  ];
  const opened = openForWriting(image);
  try {
    mkfs(
      {
        ...(blockSize !== undefined && { blockSize }),
        ...(journals !== undefined && { journals }),
        ...(journalMiB !== undefined && { journalMiB }),
        ...(rgrpMiB !== undefined && { rgrpMiB }),
        ...(kind !== undefined && { format: kind }),
        ...(options.p !== undefined && { lockProtocol: options.p }),
        ...(options.t !== undefined && { lockTable: options.t }),
        ...(options.U !== undefined && { uuid: uuidOf(options.U) }),
        wall: wallNow(),
        prng: randomPrng(),
      },
      new StoreDevice(opened.store),
    );
  } finally {
    await opened.close();
  }
}

function uuidOf(text: string): Uint8Array {
  const digits = text.replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) throw new UsageError(`-U: found "${text}", expected a UUID of 32 digits`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** Works on a volume as it is; replays of journals stay in memory. */
async function mounted(
  path: string,
  io: CommandIo,
  work: (client: Gfs2Client, image: VolumeImage, unmount: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await naming(path, async () => {
    const image = await openForReading(path);
    try {
      const client = await mount(image, path, io);
      await work(client, image, () => client.unmount());
    } finally {
      await image.close();
    }
  });
}

async function changed(path: string, io: CommandIo, work: (client: Gfs2Client) => Promise<void>): Promise<void> {
  await naming(path, async () => {
    const image = openForWriting(path);
    try {
      const client = await mount(image, path, io);
      try {
        await work(client);
      } finally {
        await client.unmount();
      }
    } finally {
      await image.close();
    }
  });
}

/** Tells of journals that had to be replayed. */
function mount({ store }: VolumeImage, path: string, { stderr }: CommandIo): Promise<Gfs2Client> {
  return Gfs2Client.mount(new StoreDevice(store).forClient(), {
    wall: wallNow(),
    prng: randomPrng(),
    log: ({ text }) => {
      const jid = /jid=(\d+): Replaying journal/.exec(text)?.[1];
      if (jid !== undefined) stderr.write(`${path}: journal ${jid} is replayed\n`);
    },
  });
}

function wallNow(): WallTime {
  const now = Date.now();
  return { sec: Math.floor(now / 1000), nsec: (now % 1000) * 1_000_000 };
}

function randomPrng(): Prng {
  const view = viewOf(new Uint8Array(randomBytes(16)));
  return new Prng(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12) | 1);
}

async function list(device: StoreDevice, unmount: () => Promise<void>, { stdout }: CommandIo): Promise<void> {
  await unmount();
  const volume = Volume.open(device);
  if (volume === undefined) throw new UsageError('found no GFS2 superblock, expected a volume');
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  for (const line of volumeListing(volume, sha256)) stdout.write(`${line}\n`);
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

async function fsck(path: string, { stdout }: CommandIo): Promise<number> {
  const image = await openForReading(path);
  try {
    const findings = check(new StoreDevice(image.store));
    for (const { pass, block, text } of findings) stdout.write(`${pass}: block ${block}: ${text}\n`);
    if (findings.some(({ rule }) => rule === 'superblock')) return Fsck.operational;
    stdout.write(findings.length === 0 ? `${path}: clean\n` : `${path}: ${findings.length} findings\n`);
    return findings.length === 0 ? Fsck.clean : Fsck.errorsLeft;
  } finally {
    await image.close();
  }
}

/** What the volume refuses is one line that names the image. */
async function naming(image: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isOurs = error instanceof Gfs2Error || error instanceof ConfigError;
    if (isOurs && !error.message.startsWith(image)) throw new UsageError(`${image}: ${error.message}`);
    throw error;
  }
}
