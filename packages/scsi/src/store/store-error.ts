/** What a store could not do: the medium gave nothing back, took nothing, or has no room left. */
export type StoreFailure = 'unreadable' | 'unwritable' | 'no-space';

/** A store's failure for reasons of its own, not for what its caller did. The target turns it into sense data. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly failure: StoreFailure;
  /** First byte that failed, from the start of the store. */
  readonly offset: number;

  constructor(failure: StoreFailure, offset: number, why: string, options?: ErrorOptions) {
    super(`byte ${offset}: ${why}`, options);
    this.failure = failure;
    this.offset = offset;
  }
}
