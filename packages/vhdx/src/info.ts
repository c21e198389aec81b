import type { Region } from './format/region-table.js';
import { type Guid, NIL_GUID } from './guid.js';
import type { ImageState } from './image-state.js';

/** What an image is, for people and programs that ask. Sizes and offsets in bytes. */
export interface VhdxInfo {
  readonly kind: 'fixed' | 'dynamic';
  /** Program that made the file. */
  readonly creator: string;
  /** Of the virtual disk. */
  readonly size: number;
  readonly fileSize: number;
  readonly blockSize: number;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  /** "Page 83 data": stays the same for the life of the virtual disk. */
  readonly diskId: Guid;
  /** The identifier of 16 bytes that a logical unit on this image has: `naa` of its configuration. */
  readonly naa: string;
  /** Payload blocks of the virtual disk, and how many of them have a place in the file. */
  readonly payloadBlocks: number;
  readonly presentBlocks: number;
  /** Of the current header. */
  readonly headerSequence: bigint;
  readonly fileWriteGuid: Guid;
  readonly dataWriteGuid: Guid;
  /** Whether the log must be replayed before other programs can use the file. */
  readonly isLogEmpty: boolean;
  readonly logOffset: number;
  readonly logLength: number;
  readonly regions: readonly Region[];
}

export function infoOf({ file, creator, headers, layout, map }: ImageState): VhdxInfo {
  const { metadata, regions } = layout;
  const { current } = headers;
  return {
    kind: metadata.isFixed ? 'fixed' : 'dynamic',
    creator,
    size: metadata.diskSize,
    fileSize: file.size,
    blockSize: metadata.blockSize,
    logicalSectorSize: metadata.logicalSectorSize,
    physicalSectorSize: metadata.physicalSectorSize,
    diskId: metadata.diskId,
    naa: naaOf(metadata.diskId),
    payloadBlocks: map.blocks,
    presentBlocks: map.present,
    headerSequence: current.sequence,
    fileWriteGuid: current.fileWriteGuid,
    dataWriteGuid: current.dataWriteGuid,
    isLogEmpty: current.logGuid === NIL_GUID,
    logOffset: current.logOffset,
    logLength: current.logLength,
    regions,
  };
}

/**
 * NAA identifier, 32 hex digits: type 6, Microsoft's company id 00-22-48, and the last twelve bytes of the virtual disk id.
 * Which bytes Hyper-V takes is not published; what matters is that they are the disk's own and never change.
 */
function naaOf(diskId: Guid): string {
  return `60022480${diskId.replaceAll('-', '').slice(8)}`;
}
