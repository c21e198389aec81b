import { clustatCases } from './clustat-cases.js';
import type { RecordedCase, RecordedFiles } from './recorded-files.js';
import { tableCases } from './table-cases.js';
import { traceCases } from './trace-cases.js';
import { treeCases } from './tree-cases.js';

export type { RecordedCase, RecordedFiles } from './recorded-files.js';

/**
 * Recordings of the original rgmanager, each to be compared: `rg_test`'s rules, listings, walks and deltas (`agents`, `tree`,
 * `delta`), histories of clusters (`trace`), tables of situations (`tables`), and clustat's output (`clustat`).
 *
 * Histories and tables are compared with `recoversAsOriginal`, and one request after the other (`awaitsTurn`).
 */
export function recordedCases(files: RecordedFiles): readonly RecordedCase[] {
  return [...treeCases(files), ...traceCases(files), ...tableCases(files), ...clustatCases(files)];
}
