import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskSpec } from '@quorate/lab';
import { createVhdxFile, type OpenedVhdx, openVhdxFile } from '@quorate/vhdx/node';
import type { OpenedStores } from '@quorate/workers';
import { UsageError } from '../usage-error.js';
import { copy, naming } from './disk-image.js';

/** Small, so that a disk of 100 GB with a formatted file system is a small file. */
const BLOCK_SIZE = 1024 * 1024;

/** @throws {UsageError} when there are images already: none is ever overwritten. */
export function refuseOldImages(directory: string): void {
  const old = existsSync(directory) ? readdirSync(directory).find((name) => name.endsWith('.vhdx')) : undefined;
  if (old === undefined) return;
  throw new UsageError(`--disk-dir: found ${join(directory, old)}, expected a directory without images`);
}

/** Makes a dynamic VHDX for each disk, with the content of its image, and leaves it open for a run to write. */
export function createImages(directory: string, disks: readonly DiskSpec[]): OpenedStores {
  naming(directory, () => mkdirSync(directory, { recursive: true }));
  const images = new Map<number, OpenedVhdx>();
  const close = (): void => {
    for (const image of images.values()) image.close();
  };
  try {
    for (const disk of disks) images.set(disk.lun, createImage(directory, disk));
  } catch (error) {
    close();
    throw error;
  }
  return { stores: new Map([...images].map(([lun, { image }]) => [lun, image])), close };
}

function createImage(directory: string, { name, image }: DiskSpec): OpenedVhdx {
  const path = join(directory, `${name}.vhdx`);
  return naming(path, () => {
    const { blocks, blockLength } = image;
    createVhdxFile(path, { size: blocks * blockLength, logicalSectorSize: blockLength, blockSize: BLOCK_SIZE });
    const opened = openVhdxFile(path);
    copy(image, opened.image);
    opened.image.flush();
    return opened;
  });
}
