import { isErrno, type Os, type Task } from '@quorate/kernel';

/** A path and all that is below it, each directory before what is in it; what cannot be listed is left out. */
function* treeOf(os: Os, path: string): Task<readonly string[]> {
  const info = yield* os.stat(path);
  const names = isErrno(info) || info.type !== 'directory' ? [] : yield* os.list(path);
  const found = [path];
  for (const name of isErrno(names) ? [] : names)
    found.push(...(yield* treeOf(os, `${path.replace(/\/$/, '')}/${name}`)));
  return found;
}

/** Each path, or with `isWhole` each tree. */
export function* treesOf(os: Os, paths: readonly string[], isWhole: boolean): Task<readonly string[]> {
  const all: string[] = [];
  for (const path of paths) all.push(...(isWhole ? yield* treeOf(os, path) : [path]));
  return all;
}
