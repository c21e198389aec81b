export { checkVhdx, type Finding } from './check.js';
export { type CreateOptions, createVhdx } from './create.js';
export type {
  BatMovedFact,
  BlockFreedFact,
  BlockPlacedFact,
  Clock,
  FlushedFact,
  HeaderWrittenFact,
  LogWrittenFact,
  OpenedFact,
  PayloadWrittenFact,
  SectorWrittenFact,
  VhdxFact,
} from './facts.js';
export type { Region } from './format/region-table.js';
export type { Guid, RandomBytes } from './guid.js';
export type { VhdxImage } from './image.js';
export type { VhdxInfo } from './info.js';
export { invariants } from './invariants.js';
export { type OpenOptions, openVhdx } from './open.js';
export type { ResizeOptions } from './resize.js';
export { VhdxError, type VhdxFailure } from './vhdx-error.js';
