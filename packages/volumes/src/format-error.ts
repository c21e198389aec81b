/** What a FormatError found wrong, by the names of the formats' own descriptions. */
export type Structure = 'mbr' | 'ebr' | 'label_header' | 'pv_header' | 'mda_header' | 'metadata text';

/** Bytes on a disk that are not what their format says. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly structure: Structure;
  /** Where it stands, in bytes from the start of the device. */
  readonly offset: number;

  /** `why` says what was found and what was expected. */
  constructor(structure: Structure, offset: number, why: string) {
    super(`${structure} at byte ${offset}: ${why}`);
    this.structure = structure;
    this.offset = offset;
  }
}
