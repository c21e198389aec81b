import { type Errno, isErrno, MILLISECOND, type Os, SECOND, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';

/** Names of a database's files within its directory. */
export interface DatabaseFiles {
  /** Says whether the database was closed. */
  readonly control: string;
  /** What had been put when it was last closed or recovered. */
  readonly data: string;
  /** What has been put since, in its order. */
  readonly log: string;
}

/** Least time of a recovery, and time for each record of the log that is read and applied. */
const RECOVERY_BASE = 2 * SECOND;
const RECOVERY_PER_RECORD = 5 * MILLISECOND;

const IN_USE = 'in production\n';
const CLOSED = 'shut down\n';

/**
 * The model of a database on a file system: keys with values, and a write-ahead log.
 *
 * What is put is on stable storage when `put` returns. Closing applies the log to the data and says so in the control file. A database
 * that was not closed is recovered when it is opened: the log is applied, which takes time.
 */
export class DataDirectory {
  readonly #os: Os;
  readonly #directory: string;
  readonly #files: DatabaseFiles;
  readonly #records = new Map<string, string>();
  #logged = 0;
  #wasClosed = true;

  constructor(os: Os, directory: string, files: DatabaseFiles) {
    this.#os = os;
    this.#directory = directory;
    this.#files = files;
  }

  /** Whether it must be recovered before it is used. */
  get needsRecovery(): boolean {
    return !this.#wasClosed;
  }

  get size(): number {
    return this.#records.size;
  }

  /** Records that the log has. */
  get logged(): number {
    return this.#logged;
  }

  value(key: string): string | undefined {
    return this.#records.get(key);
  }

  /** Reads it, and marks it as in use. A directory without these files gets an empty database. */
  *open(): Task<Errno | undefined> {
    const { control, data, log } = this.#files;
    const found: string[] = [];
    for (const name of [control, data, log]) {
      const bytes = yield* this.#os.readFile(`${this.#directory}/${name}`);
      if (isErrno(bytes) && bytes !== 'ENOENT') return bytes;
      found.push(isErrno(bytes) ? '' : utf8Text(bytes));
    }
    const [state, records, logged] = found as [string, string, string];
    this.#wasClosed = state !== IN_USE;
    for (const record of linesOf(records)) this.#apply(record);
    for (const record of linesOf(logged)) this.#apply(record);
    this.#logged = linesOf(logged).length;
    return yield* this.#write(this.#files.control, IN_USE);
  }

  /** Applies the log to the data. Gives the number of records. */
  *recover(): Task<number> {
    const records = this.#logged;
    yield* this.#os.sleep(RECOVERY_BASE + records * RECOVERY_PER_RECORD);
    yield* this.#checkpoint();
    this.#wasClosed = true;
    return records;
  }

  *put(key: string, value: string): Task<Errno | undefined> {
    const record = `${key}\t${value}`;
    const refused = yield* this.#append(`${record}\n`);
    if (refused !== undefined) return refused;
    this.#logged += 1;
    this.#apply(record);
    return undefined;
  }

  *close(): Task<Errno | undefined> {
    return (yield* this.#checkpoint()) ?? (yield* this.#write(this.#files.control, CLOSED));
  }

  /** The data first: a log that is applied twice does no harm. */
  *#checkpoint(): Task<Errno | undefined> {
    const text = [...this.#records].map(([key, value]) => `${key}\t${value}\n`).join('');
    const refused = (yield* this.#write(this.#files.data, text)) ?? (yield* this.#write(this.#files.log, ''));
    if (refused === undefined) this.#logged = 0;
    return refused;
  }

  #apply(record: string): void {
    const [key = '', value = ''] = record.split('\t', 2);
    this.#records.set(key, value);
  }

  /** In place of what is there: another file is written, and gets its name. */
  *#write(name: string, text: string): Task<Errno | undefined> {
    const path = `${this.#directory}/${name}`;
    const written = yield* this.#os.writeFile(`${path}.new`, utf8Bytes(text));
    if (isErrno(written)) return written;
    return (yield* this.#os.sync(`${path}.new`)) ?? (yield* this.#os.rename(`${path}.new`, path));
  }

  *#append(text: string): Task<Errno | undefined> {
    const path = `${this.#directory}/${this.#files.log}`;
    const written = yield* this.#os.writeFile(path, utf8Bytes(text), { append: true });
    return isErrno(written) ? written : yield* this.#os.sync(path);
  }
}

/** Whole lines: the last record may have been cut off. */
function linesOf(text: string): readonly string[] {
  return text.split('\n').slice(0, -1);
}
