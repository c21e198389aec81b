import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

/** Another process, or this one, has the image open for writing. */
export class ImageInUseError extends Error {
  override readonly name = 'ImageInUseError';
  readonly path: string;
  /** Of the process that has it. */
  readonly pid: number;

  constructor(path: string, pid: number) {
    super(`${path} is open for writing in process ${pid}`);
    this.path = path;
    this.pid = pid;
  }
}

/**
 * The right to write an image: a file beside it, `<image>.lock`, that names the process.
 *
 * It is made with its content in one step (a hard link), so nobody ever sees it half written. One whose process is gone is
 * moved aside and replaced. It works among the processes of one host; it is advice, and other programs do not know of it.
 */
export class ImageLock {
  readonly #path: string;

  /** @throws {ImageInUseError} when a process that lives has the lock. */
  constructor(imagePath: string) {
    this.#path = lockPath(imagePath);
    const own = `${this.#path}.${randomUUID()}`;
    writeFileSync(own, ownerText(process.pid));
    try {
      // A lock may vanish or appear between two looks at it; each round one process gets further.
      while (!tryLink(own, this.#path)) refuseOrRemove(imagePath);
    } finally {
      unlinkSync(own);
    }
  }

  release(): void {
    unlinkSync(this.#path);
  }
}

/** @throws {ImageInUseError} when a process that lives has the image open for writing. */
export function refuseIfLocked(imagePath: string): void {
  const text = readIfThere(lockPath(imagePath));
  if (text !== undefined && isAlive(text)) throw new ImageInUseError(imagePath, pidOf(text));
}

function lockPath(imagePath: string): string {
  return `${imagePath}.lock`;
}

function refuseOrRemove(imagePath: string): void {
  refuseIfLocked(imagePath);
  const path = lockPath(imagePath);
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Between the look and the move another process may have replaced the lock: then it gets it back.
  if (isAlive(readFileSync(aside, 'utf8'))) tryLink(aside, path);
  unlinkSync(aside);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Process id, and where the system tells it the moment when that process began: ids are used again. */
function ownerText(pid: number): string {
  return `${pid} ${startOf(pid)}\n`;
}

function pidOf(text: string): number {
  return Number.parseInt(text, 10);
}

function isAlive(text: string): boolean {
  const pid = pidOf(text);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return text === ownerText(pid);
}

/** Field 22 of /proc/<pid>/stat, in clock ticks since the host's boot; empty on systems without it. */
function startOf(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`) ?? '';
  // The second field is the name in parentheses, which may hold blanks.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
