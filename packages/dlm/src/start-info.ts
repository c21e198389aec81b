/**
 * Body of START, 32 bytes and the ids of all members: u32 size of this 32, u32 size of an id 4, u32 number of ids, u32
 * started count, then the numbers of members, joined, removed and failed nodes of the change.
 *
 * Source: dlm dlm_controld/cpg.c, `ls_info`, `id_info`.
 */
export interface StartInfo {
  /** Changes that the sender has started. */
  readonly startedCount: number;
  readonly memberCount: number;
  readonly joinedCount: number;
  readonly removeCount: number;
  readonly failedCount: number;
  readonly members: readonly number[];
}
