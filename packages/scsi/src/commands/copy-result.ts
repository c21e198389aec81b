/** How a copy of one nexus ended, for RECEIVE COPY RESULTS. */
export interface CopyResult {
  readonly listId: number;
  readonly isGood: boolean;
  readonly segments: number;
  readonly bytes: number;
}
