import type { Errno, Os, Task } from '@quorate/kernel';

/** `mkdir -p`: a directory and those above it; one that exists is fine. */
export function* makeDirectories(os: Os, path: string): Task<Errno | undefined> {
  let failure: Errno | undefined;
  for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
    const refused = yield* os.makeDirectory(end < 0 ? path : path.slice(0, end));
    failure = refused === 'EEXIST' ? undefined : refused;
    if (end < 0 || failure !== undefined) return failure;
  }
}
