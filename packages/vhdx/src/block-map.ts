import { viewOf } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import {
  BAT_ENTRY_BYTES,
  type BatGeometry,
  BlockState,
  blockOfEntry,
  entryCount,
  entryOfBlock,
  mibAt,
  putEntry,
  reservedAt,
  stateAt,
} from './format/bat.js';
import { LOG_SECTOR_BYTES } from './format/log-entry.js';
import { MIB } from './units.js';
import { corrupt } from './vhdx-error.js';

const ENTRIES_PER_SECTOR = LOG_SECTOR_BYTES / BAT_ENTRY_BYTES;
/** Sectors that are written at once where the log has no say. */
const PIECE_SECTORS = 256;

/** The block allocation table in memory, 5 bytes for each payload block, and which of its sectors have changed. */
export class BlockMap {
  readonly geometry: BatGeometry;
  readonly #states: Uint8Array;
  readonly #mibs: Uint32Array;
  readonly #changed = new Set<number>();
  #present = 0;

  constructor(geometry: BatGeometry) {
    this.geometry = geometry;
    this.#states = new Uint8Array(geometry.blocks);
    this.#mibs = new Uint32Array(geometry.blocks);
  }

  get blocks(): number {
    return this.geometry.blocks;
  }

  stateOf(block: number): BlockState {
    return this.#states[block]!;
  }

  /** How many blocks are present. */
  get present(): number {
    return this.#present;
  }

  isPresent(block: number): boolean {
    return this.#states[block] === BlockState.fullyPresent;
  }

  /** The block's place in the file in MiB; 0 when it has none. Blocks that are undefined or unmapped may keep one. */
  mibOf(block: number): number {
    return this.#mibs[block]!;
  }

  set(block: number, state: BlockState, mib: number): void {
    this.#setState(block, state);
    this.#mibs[block] = mib;
    this.#changed.add(Math.floor(entryOfBlock(block, this.geometry.chunkRatio) / ENTRIES_PER_SECTOR));
  }

  /** Sectors that differ from the file's, ascending, counted from the start of the table. */
  changedSectors(): number[] {
    return [...this.#changed].sort((a, b) => a - b);
  }

  /** Takes sectors for changed that are not: what the file has there is not known. */
  markChanged(firstEntry: number, endEntry: number): void {
    const end = Math.ceil(endEntry / ENTRIES_PER_SECTOR);
    for (let sector = Math.floor(firstEntry / ENTRIES_PER_SECTOR); sector < end; sector++) this.#changed.add(sector);
  }

  /** Says that the file has these sectors as they are here. */
  markSaved(sectors: readonly number[]): void {
    for (const sector of sectors) this.#changed.delete(sector);
  }

  /** Fills `bytes`, one sector, as it shall stand in the file. */
  encodeSector(
    sector: number,
    bytes: Uint8Array<ArrayBuffer> = new Uint8Array(LOG_SECTOR_BYTES),
  ): Uint8Array<ArrayBuffer> {
    bytes.fill(0);
    const view = viewOf(bytes);
    for (let i = 0; i < ENTRIES_PER_SECTOR; i++) {
      const block = blockOfEntry(sector * ENTRIES_PER_SECTOR + i, this.geometry.chunkRatio);
      if (block < 0 || block >= this.blocks) continue;
      putEntry(view, i * BAT_ENTRY_BYTES, this.#states[block]!, this.#mibs[block]!);
    }
    return bytes;
  }

  /** Writes the whole table to a place where nobody looks for it yet, without the log. */
  writeTo(file: ByteFile, offset: number): void {
    const sectors = Math.ceil(entryCount(this.geometry) / ENTRIES_PER_SECTOR);
    const piece = new Uint8Array(Math.min(sectors, PIECE_SECTORS) * LOG_SECTOR_BYTES);
    for (let first = 0; first < sectors; first += PIECE_SECTORS) {
      const here = Math.min(PIECE_SECTORS, sectors - first);
      for (let i = 0; i < here; i++) {
        this.encodeSector(first + i, piece.subarray(i * LOG_SECTOR_BYTES, (i + 1) * LOG_SECTOR_BYTES));
      }
      file.write(offset + first * LOG_SECTOR_BYTES, piece.subarray(0, here * LOG_SECTOR_BYTES));
    }
    this.#changed.clear();
  }

  /** The same blocks in a table of another size. Nothing of it counts as changed. */
  resized(geometry: BatGeometry): BlockMap {
    const map = new BlockMap(geometry);
    const kept = Math.min(geometry.blocks, this.blocks);
    map.#states.set(this.#states.subarray(0, kept));
    map.#mibs.set(this.#mibs.subarray(0, kept));
    for (let block = 0; block < kept; block++) if (map.isPresent(block)) map.#present += 1;
    return map;
  }

  /**
   * Reads the table that stands at `offset`.
   *
   * @throws {VhdxError} when an entry has a state that no fixed or dynamic image has, or bits where zeros belong.
   */
  static read(file: ByteFile, offset: number, geometry: BatGeometry): BlockMap {
    const map = new BlockMap(geometry);
    const entries = entryCount(geometry);
    const piece = new Uint8Array(Math.min(MIB, Math.ceil(entries * BAT_ENTRY_BYTES)));
    const view = viewOf(piece);
    for (let entry = 0; entry < entries; ) {
      const here = Math.min(piece.length / BAT_ENTRY_BYTES, entries - entry);
      file.read(offset + entry * BAT_ENTRY_BYTES, piece);
      for (let i = 0; i < here; i++) {
        const at = i * BAT_ENTRY_BYTES;
        // Most entries of most tables: not present, no place.
        if (view.getUint32(at) === 0 && view.getUint32(at + 4) === 0) continue;
        map.#take(entry + i, view, at, offset);
      }
      entry += here;
    }
    return map;
  }

  #setState(block: number, state: BlockState): void {
    if (this.isPresent(block)) this.#present -= 1;
    this.#states[block] = state;
    if (this.isPresent(block)) this.#present += 1;
  }

  #take(entry: number, view: DataView, at: number, tableOffset: number): void {
    const block = blockOfEntry(entry, this.geometry.chunkRatio);
    const state = stateAt(view, at);
    const where = tableOffset + entry * BAT_ENTRY_BYTES;
    if (block < 0) {
      if (state !== 0) throw corrupt(`BAT entry ${entry}`, where, `sector bitmap in state ${state}`, 'none: state 0');
      return;
    }
    const reserved = reservedAt(view, at);
    if (!STATES.has(state)) {
      throw corrupt(batEntryName(block), where, `state ${state}`, [...STATES].join(', '));
    }
    if (reserved !== 0) throw corrupt(batEntryName(block), where, `reserved bits ${reserved.toString(16)}h`, '0');
    const hasPlace = state !== BlockState.notPresent && state !== BlockState.zero;
    this.#setState(block, state);
    if (!hasPlace) return;
    const mib = mibAt(view, at);
    // Larger than any file; kept as the largest value so that whoever places the block refuses it.
    this.#mibs[block] = Math.min(mib, 0xffff_ffff);
  }
}

const STATES: ReadonlySet<BlockState> = new Set([
  BlockState.notPresent,
  BlockState.undefined,
  BlockState.zero,
  BlockState.unmapped,
  BlockState.fullyPresent,
]);

export function batEntryName(block: number): string {
  return `BAT entry of block ${block}`;
}
