import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { wholeNumberOf } from '../options.js';
import { UsageError } from '../usage-error.js';
import { changed } from './mounted-volume.js';

/** `quorate gfs2 grow`: what gfs2_grow(8) does to a mounted file system, to one in an image that has been resized. */
export function growCommand(io: CommandIo): Command {
  return new Command('grow')
    .description('take what the image has become larger by, as gfs2_grow')
    .argument('<image>', 'raw or VHDX image, or iscsi:// of a unit')
    .action((image: string) =>
      changed(image, io, async (client) => {
        const { before, after, rgrps } = await client.grow();
        if (rgrps === 0)
          throw new UsageError(`${image}: found no room for a resource group of 32 MiB, expected a larger image`);
        const { blockSize } = await client.statfs();
        const sizeMiB = Math.floor(((after - before) * blockSize) / 2 ** 20);
        io.stdout.write(`${image}: ${rgrps} resource groups more, ${sizeMiB} MiB\n`);
      }),
    );
}

/** `quorate gfs2 jadd`, with the options of gfs2_jadd(8). */
export function jaddCommand(io: CommandIo): Command {
  return new Command('jadd')
    .description('add journals, so that more nodes can mount, as gfs2_jadd')
    .argument('<image>', 'raw or VHDX image, or iscsi:// of a unit')
    .option('-c <MiB>', 'size of each quota change file', '1')
    .option('-j <n>', 'how many journals', '1')
    .option('-J <MiB>', 'size of each journal', '128')
    .option('-q', 'print nothing')
    .action((image: string, options: JaddArguments) =>
      changed(image, io, async (client) => {
        const { before, after } = await client.addJournals(wholeNumberOf('-j', options.j, 1, 1024), {
          journalMiB: wholeNumberOf('-J', options.J, 8, 1024),
          quotaChangeMiB: wholeNumberOf('-c', options.c, 1, 64),
        });
        if (options.q) return;
        io.stdout.write(`Filesystem: ${image}\nOld journals: ${before}\nNew journals: ${after}\n`);
      }),
    );
}

/** `quorate gfs2 trim`: what fstrim(8) does. An image keeps less on its disk then. */
export function trimCommand(io: CommandIo): Command {
  return new Command('trim')
    .description('give back what the volume does not use, as fstrim')
    .argument('<image>', 'raw or VHDX image, or iscsi:// of a unit')
    .option('-m <bytes>', 'leave shorter runs alone', '0')
    .action((image: string, { m }: { readonly m: string }) =>
      changed(image, io, async (client) => {
        const trimmed = await client.trim(wholeNumberOf('-m', m, 0, 2 ** 53 - 1));
        io.stdout.write(`${image}: ${trimmed} bytes were trimmed\n`);
      }),
    );
}

interface JaddArguments {
  readonly c: string;
  readonly j: string;
  readonly J: string;
  readonly q?: boolean;
}
