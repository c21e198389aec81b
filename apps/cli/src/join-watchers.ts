import type { RunWatcher } from '@quorate/lab';

/** One watcher for those of the given that are there, told in their order. */
export function joinWatchers(...watchers: readonly (RunWatcher | undefined)[]): RunWatcher {
  const each = (tell: (watcher: RunWatcher) => void): void => {
    for (const watcher of watchers) if (watcher !== undefined) tell(watcher);
  };
  return {
    fact: (fact) => each((watcher) => watcher.fact?.(fact)),
    log: (line) => each((watcher) => watcher.log?.(line)),
    progress: (at, progress) => each((watcher) => watcher.progress?.(at, progress)),
    lost: (slices) => each((watcher) => watcher.lost?.(slices)),
  };
}
