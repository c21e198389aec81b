import type { Task } from './task.js';

/** What the world does with a command whose initiator is gone. */
const Fate = { completes: 0, torn: 1, dropped: 2 } as const;

/** Whether a task is in service and would change the medium. */
export function isWriting(task: Task): boolean {
  if (task.state !== 'enabled' || task.refusal !== undefined || task.isCarriedOut) return false;
  return task.command?.service === 'write';
}

/** Decides what a write that is aborted in service leaves behind: 0 for nothing, or so many of its first blocks. */
export function blocksLeftByAbort(task: Task, blockLength: number): number {
  if (!isWriting(task) || task.from.choices.choose('abort', 2) === 0) return 0;
  return tornBlocks(task, blockLength);
}

/** Decides over a task whose initiator is gone. Whether it goes on; `tornAfter` says how far. */
export function survivesItsInitiator(task: Task, blockLength: number): boolean {
  const fate = task.from.choices.choose('crash', 3);
  if (fate === Fate.torn) task.tornAfter = tornBlocks(task, blockLength);
  return fate !== Fate.dropped && task.tornAfter !== 0;
}

/** Number of blocks of a write that reach the medium, fewer than it has. A block is never torn. */
function tornBlocks(task: Task, blockLength: number): number {
  const blocks = task.command?.isTearable === true ? Math.floor(task.dataOut.length / blockLength) : 0;
  return blocks > 1 ? task.from.choices.choose('torn', blocks) : 0;
}
