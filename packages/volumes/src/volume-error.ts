/** Why an operation on partitions or volumes was refused. Nothing was written then, but for `io` in the midst of a commit. */
export type VolumeErrorCode =
  | 'bad-argument'
  | 'bad-name'
  | 'exists'
  | 'in-use'
  | 'inconsistent'
  | 'io'
  | 'no-space'
  | 'not-found'
  | 'unsupported';

/** An operation that cannot be done as it was asked for. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly code: VolumeErrorCode;

  /** `message` says what was found and what was expected, in the words of the real tool where it has some. */
  constructor(code: VolumeErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
