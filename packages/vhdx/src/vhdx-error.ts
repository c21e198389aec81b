/** Why a file cannot be used: it is no VHDX at all, it breaks the format, or it uses what is not supported here. */
export type VhdxFailure = 'not-vhdx' | 'corrupt' | 'unsupported';

/** An image that is refused: names the structure, where it stands, what was found there and what would be right. */
export class VhdxError extends Error {
  override readonly name = 'VhdxError';
  readonly failure: VhdxFailure;
  /** As MS-VHDX calls it: `header 1`, `region table 2`, `metadata table`, `BAT entry of block 7`, `log`. */
  readonly structure: string;
  /** In bytes from the start of the file. */
  readonly offset: number;
  readonly found: string;
  readonly expected: string;

  constructor(failure: VhdxFailure, structure: string, offset: number, found: string, expected: string) {
    super(`${structure} at byte ${offset}: found ${found}, expected ${expected}`);
    this.failure = failure;
    this.structure = structure;
    this.offset = offset;
    this.found = found;
    this.expected = expected;
  }
}

/** The error for what breaks the format. */
export function corrupt(structure: string, offset: number, found: string, expected: string): VhdxError {
  return new VhdxError('corrupt', structure, offset, found, expected);
}
