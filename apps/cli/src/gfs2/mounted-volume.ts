import { randomBytes } from 'node:crypto';
import { type ClientDevice, Gfs2Client, Gfs2Error } from '@quorate/gfs2/client';
import { ConfigError, Prng, viewOf, type WallTime } from '@quorate/kernel';
import type { CommandIo } from '../command-io.js';
import { UsageError } from '../usage-error.js';
import { openForReading, StoreDevice, type VolumeImage, withDevice } from './volume-image.js';

/** Works on a volume as it is; replays of journals stay in memory. */
export async function mounted(
  path: string,
  io: CommandIo,
  work: (client: Gfs2Client, image: VolumeImage, unmount: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await naming(path, async () => {
    const image = await openForReading(path);
    try {
      const client = await mount(new StoreDevice(image.store).forClient(), path, io);
      await work(client, image, () => client.unmount());
    } finally {
      await image.close();
    }
  });
}

/** Works on a volume that is changed. */
export async function changed(path: string, io: CommandIo, work: (client: Gfs2Client) => Promise<void>): Promise<void> {
  await naming(path, async () => {
    await withDevice(path, async (device) => {
      const client = await mount(device, path, io);
      try {
        await work(client);
      } finally {
        await client.unmount();
      }
    });
  });
}

/** Tells of journals that had to be replayed. */
function mount(device: ClientDevice, path: string, { stderr }: CommandIo): Promise<Gfs2Client> {
  return Gfs2Client.mount(device, {
    wall: wallNow(),
    prng: randomPrng(),
    log: ({ text }) => {
      const jid = /jid=(\d+): Replaying journal/.exec(text)?.[1];
      if (jid !== undefined) stderr.write(`${path}: journal ${jid} is replayed\n`);
    },
  });
}

export function wallNow(): WallTime {
  const now = Date.now();
  return { sec: Math.floor(now / 1000), nsec: (now % 1000) * 1_000_000 };
}

export function randomPrng(): Prng {
  const view = viewOf(new Uint8Array(randomBytes(16)));
  return new Prng(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12) | 1);
}

/** What the volume refuses is one line that names the image. */
export async function naming(image: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isOurs = error instanceof Gfs2Error || error instanceof ConfigError;
    if (isOurs && !error.message.startsWith(image)) throw new UsageError(`${image}: ${error.message}`);
    throw error;
  }
}
