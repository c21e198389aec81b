import { randomFillSync } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import type { Observe } from '@quorate/kernel';
import { ImageLock, NodeFile, refuseIfLocked } from '@quorate/scsi/node';
import { type CreateOptions, createVhdx, openVhdx, type VhdxFact, type VhdxImage } from '../index.js';

export interface OpenFileOptions {
  /** Default false. */
  readonly isReadOnly?: boolean;
  readonly observe?: Observe<VhdxFact>;
}

/** An image in a file of the host. */
export interface OpenedVhdx {
  readonly image: VhdxImage;
  /** Closes the image and the file, and lets others write it. */
  close(): void;
}

function random(into: Uint8Array): void {
  randomFillSync(into);
}

/**
 * Makes a new image.
 *
 * @throws {ConfigError} for an option that the format does not have; the host's error (`EEXIST`, …) when the file cannot be
 * made. A file that could not be finished is removed.
 */
export function createVhdxFile(path: string, options: Omit<CreateOptions, 'random'>): void {
  const file = new NodeFile(path, { isNew: true });
  try {
    createVhdx(file, { ...options, random });
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    file.close();
  }
}

/**
 * Opens an image. Only one process has it open for writing, which `<path>.lock` says; until then nobody reads it either,
 * because a reader would see halves of changes.
 *
 * @throws {VhdxError} when the file is no image, or is corrupt.
 * @throws {ImageInUseError} when a process has it open for writing.
 */
export function openVhdxFile(path: string, { isReadOnly = false, observe }: OpenFileOptions = {}): OpenedVhdx {
  if (isReadOnly) refuseIfLocked(path);
  const lock = isReadOnly ? undefined : new ImageLock(path);
  let file: NodeFile | undefined;
  try {
    file = new NodeFile(path, { isReadOnly });
    const image = openVhdx(file, isReadOnly ? { isReadOnly } : { random, ...(observe && { observe }) });
    return { image, close: () => closeAll(image, file!, lock) };
  } catch (error) {
    file?.close();
    lock?.release();
    throw error;
  }
}

function closeAll(image: VhdxImage, file: NodeFile, lock: ImageLock | undefined): void {
  try {
    image.close();
  } finally {
    file.close();
    lock?.release();
  }
}
