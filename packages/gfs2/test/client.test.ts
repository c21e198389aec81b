import { Prng, utf8Bytes, utf8Text } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { check } from '../src/check.js';
import { type ClientDevice, Gfs2Client, Gfs2Error } from '../src/client/index.js';
import { formattedDisk } from './formatted-disk.js';
import type { MemoryDisk } from './memory-disk.js';
import { SparseImage } from './sparse-image.js';

const WALL = { sec: 1_782_907_200, nsec: 0 };

function deviceOf(image: SparseImage, changes: Partial<ClientDevice> = {}): ClientDevice {
  return {
    sizeBytes: image.sizeBytes,
    async read(byteOffset, length) {
      const bytes = new Uint8Array(length);
      image.read(byteOffset, bytes);
      return bytes;
    },
    async write(byteOffset, bytes) {
      image.write(byteOffset, bytes);
    },
    async flush() {},
    ...changes,
  };
}

function mount(disk: MemoryDisk, changes: Partial<ClientDevice> = {}): Promise<Gfs2Client> {
  return Gfs2Client.mount(deviceOf(disk.image, changes), { wall: WALL, prng: new Prng(1, 2, 3, 4) });
}

function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'done',
    (error: unknown) => (error instanceof Gfs2Error ? `${error.message}` : error),
  );
}

describe.each([512, 1024, 4096])('with blocks of %i bytes', (blockSize) => {
  it('calls that overlap each give their own result, and what is left behind is clean', async () => {
    const disk = formattedDisk(32, { blockSize });
    const client = await mount(disk);
    await client.mkdir('/d', 0o700);
    const texts = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(100 * i));
    await Promise.all(texts.map((text, i) => client.writeFile(`/d/${i}`, utf8Bytes(text))));
    await client.rename('/d/7', '/seven');
    await client.symlink('/seven', '/link');
    await client.link('/seven', '/d/hard');
    await client.chmod('/seven', 0o600);
    expect(await client.readlink('/link')).toBe('/seven');
    expect(await client.stat('/link')).toMatchObject({ links: 2, mode: 0o100600, size: texts[7]!.length });
    expect(await client.lstat('/link')).toMatchObject({ type: 'symlink' });
    expect(utf8Text(await client.readFile('/d/39'))).toBe(texts[39]);
    await client.unlink('/d/39');
    const free = (await client.statfs()).free;
    await client.sync();
    await client.unmount();
    expect(check(disk.image)).toEqual([]);
    const again = await mount(disk);
    expect(new Set((await again.readdir('/d')).map(({ name }) => name)).size).toBe(39);
    expect((await again.statfs()).free).toBe(free);
    await again.unmount();
  });
});

it('an open file is read, written, cut and made durable in place', async () => {
  const disk = formattedDisk(32);
  const client = await mount(disk);
  const file = await client.open('/f', { write: true, create: true });
  expect(await file.write(10_000, utf8Bytes('end'))).toBe(3);
  expect(await file.read(9_998, 100)).toEqual(utf8Bytes('\0\0end'));
  await file.truncate(10_001);
  await file.sync();
  // What fsync made durable is there after a power cut.
  const survivor = disk.fork();
  const after = await mount(survivor);
  expect(await after.readFile('/f')).toHaveLength(10_001);
  await after.unmount();
  expect(await codeOf(client.unmount())).toBe('EBUSY: unmount: files are open');
  await file.close();
  await client.unmount();
});

it('what the file system refuses has its code, and says what was asked', async () => {
  const client = await mount(formattedDisk(32));
  expect(await codeOf(client.readFile('/a'))).toBe('ENOENT: open /a');
  expect(await codeOf(client.mkdir('/'))).toBe('EEXIST: mkdir /');
  expect(await codeOf(client.rename('/a', '/b'))).toBe('ENOENT: rename /a /b');
  await client.unmount();
  expect(await codeOf(client.readdir('/'))).toBe('ENODEV: readdir /');
});

it('a device without a file system is not mounted', async () => {
  const zeros = new SparseImage(1 << 20);
  const options = { wall: WALL, prng: new Prng(1, 2, 3, 4) };
  expect(await codeOf(Gfs2Client.mount(deviceOf(zeros), options))).toBe('EINVAL: the device has no GFS2 superblock');
});

it('when the device fails, the call that needed it rejects with its error', async () => {
  const broken = new Error('cable out');
  let isBroken = false;
  const disk = formattedDisk(32);
  const client = await mount(disk, {
    write: () => (isBroken ? Promise.reject(broken) : Promise.resolve()),
  });
  isBroken = true;
  await client.mkdir('/d');
  expect(await codeOf(client.sync())).toBe(broken);
});
