import type { Fact, Nanos } from '@quorate/kernel';
import type { Guid } from './guid.js';

interface ImageFact extends Fact {
  /** Virtual disk id of the image. */
  readonly image: Guid;
}

/** An image was opened for writing; a `vhdx.block-placed` follows for each block that has a place in the file. */
export interface OpenedFact extends ImageFact {
  readonly kind: 'vhdx.opened';
  /** In bytes, like everything below. */
  readonly blockSize: number;
  /** Where the payload blocks must not be: headers, log, regions. */
  readonly structures: readonly { readonly offset: number; readonly length: number }[];
}

/** A payload block got a place in the file. */
export interface BlockPlacedFact extends ImageFact {
  readonly kind: 'vhdx.block-placed';
  readonly block: number;
  readonly offset: number;
}

/** A payload block lost its place in the file. */
export interface BlockFreedFact extends ImageFact {
  readonly kind: 'vhdx.block-freed';
  readonly block: number;
  readonly offset: number;
}

/** The BAT has a new place, and the old one is free. */
export interface BatMovedFact extends ImageFact {
  readonly kind: 'vhdx.bat-moved';
  readonly from: { readonly offset: number; readonly length: number };
  readonly to: { readonly offset: number; readonly length: number };
}

/** Bytes of a payload block were written. */
export interface PayloadWrittenFact extends ImageFact {
  readonly kind: 'vhdx.payload-written';
  readonly block: number;
  /** In the file. */
  readonly offset: number;
  readonly length: number;
}

/** A log entry was written, not yet flushed. */
export interface LogWrittenFact extends ImageFact {
  readonly kind: 'vhdx.log-written';
  readonly sequence: number;
  /** Offsets of the sectors that it changes, 4096 bytes each. */
  readonly sectors: readonly number[];
}

/** A sector of BAT, metadata or region tables was written in place. */
export interface SectorWrittenFact extends ImageFact {
  readonly kind: 'vhdx.sector-written';
  readonly offset: number;
}

export interface HeaderWrittenFact extends ImageFact {
  readonly kind: 'vhdx.header-written';
  /** 1 or 2. */
  readonly copy: number;
  /** 64 bits, in decimal digits. */
  readonly sequence: string;
  readonly logGuid: Guid;
}

/** The file was flushed. */
export interface FlushedFact extends ImageFact {
  readonly kind: 'vhdx.flushed';
}

/** What an image tells of its file, in the order of its writes and flushes. */
export type VhdxFact =
  | OpenedFact
  | BlockPlacedFact
  | BlockFreedFact
  | BatMovedFact
  | PayloadWrittenFact
  | LogWrittenFact
  | SectorWrittenFact
  | HeaderWrittenFact
  | FlushedFact;

type Untold<F> = F extends VhdxFact ? Omit<F, 'image' | 'now'> : never;

/** How the parts of an image tell their facts. */
export type Note = (fact: Untold<VhdxFact>) => void;

/** The instant for facts: an image has no clock of its own. */
export type Clock = () => Nanos;
