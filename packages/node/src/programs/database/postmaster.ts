import { asciiBytes, fork, isErrno, join, type Os, type Program, type Task, utf8Text } from '@quorate/kernel';
import { valueAfter } from '../options.js';
import { DataDirectory } from './data-directory.js';
import { serveStatements } from './statements.js';

const SIGINT = 2;
const SIGQUIT = 3;
const SIGTERM = 15;

const FILES = { control: 'global/pg_control', data: 'base/data', log: 'pg_xlog/log' };

/**
 * `postmaster -D DIRECTORY [-c config_file=FILE]`: the model of a PostgreSQL 8 server.
 *
 * It says in DIRECTORY/postmaster.pid that it has the directory, which only a server on the same machine believes. While it recovers what
 * was not shut down, clients are told that it is starting up. SIGINT and SIGTERM shut it down; SIGQUIT ends it at once, so that it
 * has to recover.
 *
 * Simplified: statements of one line for SQL; it listens on every address; SIGTERM does not wait for clients.
 */
export const postmaster: Program = function* (argv, os) {
  const directory = (valueAfter(argv, '-D') ?? '/var/lib/pgsql/data').replace(/\/$/, '');
  const file = /^config_file="?([^"]*)"?$/.exec(valueAfter(argv, '-c') ?? '')?.[1] ?? `${directory}/postgresql.conf`;
  const say = (text: string): void => os.log('info', 'postgres', text);
  if (isErrno(yield* os.stat(directory))) {
    say(`could not access directory "${directory}": No such file or directory`);
    return 2;
  }
  const lock = `${directory}/postmaster.pid`;
  const other = yield* pidIn(os, lock);
  if (other !== undefined && isAlive(os, other)) {
    say(`lock file "postmaster.pid" already exists: is another postmaster (PID ${other}) running in "${directory}"?`);
    return 1;
  }
  const settings = yield* settingsOf(os, file);
  const port = Number(settings.get('port')) || 5432;
  const listener = os.listen(port);
  if (isErrno(listener)) {
    say(`could not bind IPv4 socket: Address already in use`);
    return 1;
  }
  const pidFiles = [lock, settings.get('external_pid_file')].filter((each) => each !== undefined);
  for (const each of pidFiles) yield* os.writeFile(each, asciiBytes(`${os.pid}\n`));
  for (const name of ['global', 'base', 'pg_xlog']) yield* os.makeDirectory(`${directory}/${name}`);
  const data = new DataDirectory(os, directory, FILES);
  let isReady = false;
  const stop = (what: string, close: () => Task<unknown>) =>
    function* (): Task<number> {
      say(`received ${what} shutdown request`);
      os.close(listener);
      if (isReady) yield* close();
      for (const each of pidFiles) yield* os.remove(each);
      return 0;
    };
  os.trap(
    SIGINT,
    stop('fast', () => data.close()),
  );
  os.trap(
    SIGTERM,
    stop('smart', () => data.close()),
  );
  os.trap(
    SIGQUIT,
    stop('immediate', function* () {}),
  );
  const refusal = (): string | undefined => (isReady ? undefined : 'FATAL:  the database system is starting up');
  const serving = yield* fork(serveStatements(os, listener, { data, refusal }));
  const refused = yield* data.open();
  if (refused !== undefined) {
    say(`could not open the database: ${refused}`);
    for (const each of pidFiles) yield* os.remove(each);
    return 1;
  }
  if (data.needsRecovery) {
    say('database system was not properly shut down; automatic recovery in progress');
    say(`redo done, ${yield* data.recover()} records`);
  }
  isReady = true;
  say('database system is ready to accept connections');
  yield* join(serving);
  return 0;
};

/** `pg_ctl status -D DIRECTORY`: whether a postmaster has it, on this machine. */
export const pgCtl: Program = function* (argv, os) {
  const directory = (valueAfter(argv, '-D') ?? '/var/lib/pgsql/data').replace(/\/$/, '');
  if (argv[1] !== 'status') {
    os.printError('pg_ctl: only status is served here\n');
    return 1;
  }
  const pid = yield* pidIn(os, `${directory}/postmaster.pid`);
  const isRunning = pid !== undefined && isAlive(os, pid);
  os.print(isRunning ? `pg_ctl: server is running (PID: ${pid})\n` : 'pg_ctl: no server running\n');
  return isRunning ? 0 : 1;
};

function* pidIn(os: Os, file: string): Task<number | undefined> {
  const bytes = yield* os.readFile(file);
  return isErrno(bytes) ? undefined : Number.parseInt(utf8Text(bytes), 10);
}

function isAlive(os: Os, pid: number): boolean {
  return os.processes().some((process) => process.pid === pid);
}

/** `key = value` or `key = 'value'` of a postgresql.conf. */
function* settingsOf(os: Os, path: string): Task<ReadonlyMap<string, string>> {
  const bytes = yield* os.readFile(path);
  const lines = isErrno(bytes) ? [] : utf8Text(bytes).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [, key, quoted, plain] = /^\s*(\w+)\s*=?\s*(?:'([^']*)'|([^\s#']+))/.exec(line) ?? [];
      return key === undefined ? [] : [[key, quoted ?? plain ?? ''] as const];
    }),
  );
}
