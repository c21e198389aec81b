import type { ByteFile } from '@quorate/scsi';
import { BlockMap } from './block-map.js';
import { readFileIdentifier } from './format/file-identifier.js';
import { REGION_TABLE_OFFSETS } from './format/region-table.js';
import { NIL_GUID } from './guid.js';
import { type Copy, HeaderPair, readHeaderCopy } from './header-pair.js';
import { checkFileSize, checkLogPlace, type Layout, placeAll, readLayout, readRegionTableCopy } from './layout.js';
import { activeSequence } from './log/active-sequence.js';
import { replay } from './log/replay.js';
import { OverlayFile } from './overlay-file.js';
import { MIB, mibOf } from './units.js';
import { VhdxError } from './vhdx-error.js';

/** Something that is not as it should be. */
export interface Finding {
  /**
   * `error`: the image is refused, or data is lost. `warning`: it can be used, but a second copy is gone, or the log waits to
   * be replayed. `leak`: room in the file that nothing uses.
   */
  readonly severity: 'error' | 'warning' | 'leak';
  readonly structure: string;
  /** In bytes from the start of the file. */
  readonly offset: number;
  readonly message: string;
}

/**
 * Looks at every structure of an image and writes nothing; the log is replayed in memory. Empty: all is well.
 *
 * Goes on where `openVhdx` stops at the first error, as far as what follows still makes sense.
 */
export function checkVhdx(file: ByteFile): Finding[] {
  const findings: Finding[] = [];
  const found = (severity: Finding['severity'], error: VhdxError): void => {
    findings.push({ severity, structure: error.structure, offset: error.offset, message: error.message });
  };
  try {
    checkStructures(file, found);
  } catch (error) {
    if (!(error instanceof VhdxError)) throw error;
    found('error', error);
  }
  return findings;
}

type Found = (severity: Finding['severity'], error: VhdxError) => void;

function checkStructures(file: ByteFile, found: Found): void {
  checkFileSize(file);
  readFileIdentifier(file);
  const { current } = new HeaderPair(file);
  for (const copy of [0, 1] as const) warnIfBroken(() => readHeaderCopy(file, copy), found);
  checkLogPlace(current, file.size);
  let replayed = file;
  if (current.logGuid !== NIL_GUID) {
    replayed = new OverlayFile(file);
    replay(replayed, current, activeSequence(file, current));
    const waiting = new VhdxError('corrupt', 'log', current.logOffset, 'entries that are not replayed', 'an empty log');
    found('warning', waiting);
  }
  const layout = readLayout(replayed, current);
  for (const copy of [0, 1] as const) warnIfBroken(() => readRegionTableCopy(replayed, copy), found);
  checkCopiesAgree(replayed, found);
  const map = BlockMap.read(replayed, layout.bat.offset, layout.geometry);
  const rooms = placeAll(layout, map, replayed.size, (error) => found('error', error));
  reportLeaks(replayed.size, layout, rooms.end, rooms.free, found);
}

function warnIfBroken(read: () => unknown, found: Found): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof VhdxError)) throw error;
    found('warning', error);
  }
}

function checkCopiesAgree(file: ByteFile, found: Found): void {
  const tables = ([0, 1] as const).map((copy: Copy) => textOf(() => readRegionTableCopy(file, copy)));
  if (tables[0] === undefined || tables[1] === undefined || tables[0] === tables[1]) return;
  const at = REGION_TABLE_OFFSETS[1];
  found('warning', new VhdxError('corrupt', 'region table 2', at, 'other regions', 'those of region table 1'));
}

function textOf(read: () => unknown): string | undefined {
  try {
    return JSON.stringify(read());
  } catch {
    return undefined;
  }
}

function reportLeaks(fileSize: number, { metadata }: Layout, end: number, free: number, found: Found): void {
  const behind = mibOf(fileSize) - end;
  const leak = (at: number, mib: number, where: string): void =>
    found('leak', new VhdxError('corrupt', 'file', at, `${mib} MiB ${where}`, 'all room in use'));
  if (free > 0) leak(0, free, 'between structures that nothing uses');
  // A fixed image may keep room for blocks that are not placed yet.
  if (behind > 0 && !metadata.isFixed) leak(end * MIB, behind, 'behind the last structure');
}
