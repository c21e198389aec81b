import { isErrno, type Os, strerror, type Task, utf8Text } from '@quorate/kernel';

/** How programs name a file that they cannot read. */
const COMPLAINTS: Readonly<Record<string, (path: string) => string>> = {
  head: (path) => `cannot open \`${path}' for reading`,
  tail: (path) => `cannot open \`${path}' for reading`,
  sort: (path) => `open failed: ${path}`,
  sed: (path) => `can't read ${path}`,
};

/** Reads what a program gets: its files, one after the other, or what came in. Complaints are printed as they come. */
export function* readAll(
  os: Os,
  program: string,
  paths: readonly string[],
  take: (text: string, path: string) => void,
): Task<number> {
  if (paths.length === 0) take(os.input, '');
  let status = 0;
  for (const path of paths) {
    if (path === '-') {
      take(os.input, path);
      continue;
    }
    const bytes = yield* os.readFile(path);
    if (isErrno(bytes)) {
      os.printError(`${program}: ${COMPLAINTS[program]?.(path) ?? path}: ${strerror(bytes)}\n`);
      status = 1;
    } else take(utf8Text(bytes), path);
  }
  return status;
}

/** The lines of a text, without an empty one behind its last line end. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
