import type { Observe } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import { BlockMap } from './block-map.js';
import type { Clock, Note, VhdxFact } from './facts.js';
import { readFileIdentifier } from './format/file-identifier.js';
import { NIL_GUID, type RandomBytes } from './guid.js';
import { HeaderPair } from './header-pair.js';
import { VhdxImage } from './image.js';
import { newWriting } from './image-state.js';
import { checkFileSize, checkLogPlace, type Layout, placeAll, readLayout } from './layout.js';
import { activeSequence } from './log/active-sequence.js';
import { LogWriter } from './log/log-writer.js';
import { replay } from './log/replay.js';
import { ObservedFile } from './observed-file.js';
import { OverlayFile } from './overlay-file.js';
import type { RoomMap } from './room-map.js';

/** How an image is opened: to read it only, or to write it, and then with a source for the GUIDs that change. */
export type OpenOptions =
  | { readonly isReadOnly: true }
  | {
      readonly isReadOnly?: false;
      readonly random: RandomBytes;
      readonly observe?: Observe<VhdxFact>;
      /** The instant for facts, default always 0. */
      readonly clock?: Clock;
    };

/**
 * Opens an image. A log that is not empty is replayed: into the file, or when it is read only into memory beside it.
 *
 * The file must be the image's own until `close`: what others write to it meanwhile is not noticed.
 *
 * @throws {VhdxError} when the file is no image, is corrupt, or uses what is not supported. Nothing is repaired.
 * @throws {RangeError} when a file that is read only shall be written.
 */
export function openVhdx(file: ByteFile, options: OpenOptions): VhdxImage {
  if (options.isReadOnly === true) {
    const { file: replayed, headers, creator } = readStart(file, (base) => new OverlayFile(base));
    return new VhdxImage({ file: replayed, creator, headers, ...readRest(replayed, headers) });
  }
  if (file.isReadOnly) throw new RangeError('the file is open read only: open the image with isReadOnly');
  const { random, observe } = options;
  const { file: replayed, headers: read, creator } = readStart(file, (base) => base);
  if (read.current.logGuid !== NIL_GUID) {
    replayed.flush();
    read.update({ logGuid: NIL_GUID });
  }
  const parts = readRest(replayed, read);
  if (observe === undefined) {
    const log = new LogWriter(file, read, random);
    return new VhdxImage({ file, creator, headers: read, ...parts, writing: newWriting(log, random) });
  }
  const note = notesOf(parts.layout, observe, options.clock ?? (() => 0));
  const observed = new ObservedFile(file, note);
  const headers = new HeaderPair(observed, note);
  const log = new LogWriter(observed, headers, random, note);
  return new VhdxImage({ file: observed, creator, headers, ...parts, writing: newWriting(log, random, note) });
}

interface Start {
  readonly file: ByteFile;
  readonly headers: HeaderPair;
  readonly creator: string;
}

/** Reads what comes before the log, and replays that into what `target` makes of the file. */
function readStart(file: ByteFile, target: (file: ByteFile) => ByteFile): Start {
  checkFileSize(file);
  const creator = readFileIdentifier(file);
  const headers = new HeaderPair(file);
  const { current } = headers;
  checkLogPlace(current, file.size);
  if (current.logGuid === NIL_GUID) return { file, headers, creator };
  const replayed = target(file);
  replay(replayed, current, activeSequence(file, current));
  return { file: replayed, headers, creator };
}

interface Rest {
  readonly layout: Layout;
  readonly map: BlockMap;
  readonly rooms: RoomMap;
}

function readRest(file: ByteFile, headers: HeaderPair): Rest {
  const layout = readLayout(file, headers.current);
  const map = BlockMap.read(file, layout.bat.offset, layout.geometry);
  const rooms = placeAll(layout, map, file.size, (error) => {
    throw error;
  });
  return { layout, map, rooms };
}

function notesOf({ metadata }: Layout, observe: Observe<VhdxFact>, clock: Clock): Note {
  const image = metadata.diskId;
  return (fact) => observe({ ...fact, image, now: clock() } as VhdxFact);
}
