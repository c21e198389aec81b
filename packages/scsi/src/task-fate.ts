import type { Task } from './task.js';
import { type BlockRun, tornRuns } from './torn-write.js';

/** What the world does with a command whose initiator is gone. */
const Fate = { completes: 0, torn: 1, dropped: 2 } as const;

/** Whether a task is in service and would change the medium. */
export function isWriting(task: Task): boolean {
  if (task.state !== 'enabled' || task.refusal !== undefined || task.isCarriedOut) return false;
  return task.command?.service === 'write';
}

/** Decides what a write that is aborted in service leaves behind, often nothing. */
export function runsLeftByAbort(task: Task, blockLength: number): readonly BlockRun[] {
  if (!isWriting(task) || task.from.choices.choose('abort', 2) === 0) return [];
  return tornRuns(task.from.choices, tearableBlocks(task, blockLength));
}

/** Decides over a task whose initiator is gone. Whether it goes on; `torn` says how much of it. */
export function survivesItsInitiator(task: Task, blockLength: number): boolean {
  const fate = task.from.choices.choose('crash', 3);
  if (fate === Fate.torn) task.torn = tornRuns(task.from.choices, tearableBlocks(task, blockLength));
  return fate !== Fate.dropped && task.torn?.length !== 0;
}

/** Whole blocks of a write of which some may reach the medium without the others. */
function tearableBlocks(task: Task, blockLength: number): number {
  return task.command?.isTearable === true ? Math.floor(task.dataOut.length / blockLength) : 0;
}
