import { type Errno, formatSyslogTime, isErrno, type Os, type Task, utf8Bytes } from '@quorate/kernel';

/** Ends an agent: with a message for standard error, and an exit status for whoever runs it. */
export class Failure {
  readonly text: string;
  readonly status: number;

  constructor(text: string, status = 1) {
    this.text = text;
    this.status = status;
  }

  /** perl's `die "$!\n"`: the text of an error, whose number is the exit status. */
  static die(errno: Errno): Failure {
    const [text, status] = ERRNO[errno] ?? [errno, 1];
    return new Failure(`${text}\n`, status);
  }
}

const ERRNO: Readonly<Partial<Record<Errno, readonly [string, number]>>> = {
  ENOENT: ['No such file or directory', 2],
  EIO: ['Input/output error', 5],
  EACCES: ['Permission denied', 13],
  ENOTDIR: ['Not a directory', 20],
  EISDIR: ['Is a directory', 21],
  ENOSPC: ['No space left on device', 28],
  EROFS: ['Read-only file system', 30],
};

export interface AgentLogOptions {
  /** Nothing is said at all. */
  readonly isQuiet: boolean;
  /** What would be said is appended to this file instead. */
  readonly file: string | undefined;
}

/** What an agent says: debug messages on standard output, an error on standard error; or all of it in a file; or nothing. */
export class AgentLog {
  readonly #os: Os;
  readonly #name: string;
  readonly #options: AgentLogOptions;
  #unwritten = '';

  constructor(os: Os, name: string, options: AgentLogOptions) {
    this.#os = os;
    this.#name = name;
    this.#options = options;
  }

  debug(text: string): void {
    const line = this.#line('debug', text);
    if (this.#options.file === undefined) this.#os.print(line);
    else this.#unwritten += line;
  }

  error(text: string): Failure {
    return new Failure(this.#line('error', text));
  }

  /** Says why it ends, and returns the exit status. */
  *end(outcome: number | Failure): Task<number> {
    const isFailure = outcome instanceof Failure;
    if (this.#options.file === undefined) {
      if (isFailure) this.#os.printError(outcome.text);
    } else {
      if (isFailure) this.#unwritten += outcome.text;
      yield* this.#append(this.#options.file, this.#unwritten);
    }
    return isFailure ? outcome.status : outcome;
  }

  /** Whether the file can be written; undefined when it can, or when there is none. */
  *open(): Task<Failure | undefined> {
    const { file } = this.#options;
    if (file === undefined) return undefined;
    const refused = yield* this.#append(file, '');
    return isErrno(refused) ? Failure.die(refused) : undefined;
  }

  *#append(file: string, text: string): Task<number | Errno> {
    return yield* this.#os.writeFile(file, utf8Bytes(text), { append: true });
  }

  #line(level: 'debug' | 'error', text: string): string {
    if (this.#options.isQuiet) return '';
    return `${formatSyslogTime(this.#os.wall().sec)} ${this.#name}: [${level}] ${text}\n`;
  }
}
