import { asciiBytes, isErrno, type Os, type Program, SECOND, type Task, utf8Text } from '@quorate/kernel';
import { DataDirectory } from './data-directory.js';
import { serveStatements } from './statements.js';

const SIGTERM = 15;
const LOCK_ATTEMPTS = 100;

interface MysqlSettings {
  readonly datadir: string;
  readonly port: number;
  readonly pidFile: string | undefined;
}

/** `mysqld_safe OPTIONS…`: runs mysqld, again and again while it leaves its pid file behind. */
export const mysqldSafe: Program = function* (argv, os) {
  const { pidFile } = yield* settingsOf(os, argv.slice(1));
  for (;;) {
    const { errors } = yield* os.run(['/usr/libexec/mysqld', ...argv.slice(1)]);
    os.printError(errors);
    if (pidFile === undefined || isErrno(yield* os.stat(pidFile))) return 0;
    os.log('info', 'mysqld_safe', 'mysqld restarted');
    yield* os.remove(pidFile);
  }
};

/**
 * `mysqld --defaults-file=FILE --pid-file=FILE --bind-address=ADDRESS --datadir=DIRECTORY --port=PORT`: the model of a MySQL 5.1 server.
 *
 * It holds a lock on `ibdata1`, so that of two servers of one directory on a shared file system the second waits 100 s and gives up. One
 * that was not shut down is recovered before it listens and writes its pid file. SIGTERM shuts it down.
 *
 * Simplified: statements of one line for SQL; it listens on every address.
 */
export const mysqld: Program = function* (argv, os) {
  const { datadir, port, pidFile } = yield* settingsOf(os, argv.slice(1));
  const say = (text: string): void => os.log('info', 'mysqld', text);
  if (isErrno(yield* os.stat(datadir))) {
    say(`Can't change dir to '${datadir}/' (Errcode: 2)`);
    return 1;
  }
  if (!(yield* lockData(os, `${datadir}/ibdata1`, say))) return 1;
  const data = new DataDirectory(os, datadir, { control: 'ib_logfile0', data: 'ibdata1.records', log: 'ib_logfile1' });
  const refused = yield* data.open();
  if (refused !== undefined) {
    say(`InnoDB: cannot open the data files: ${refused}`);
    return 1;
  }
  if (data.needsRecovery) {
    say('InnoDB: Database was not shut down normally! Starting crash recovery.');
    say(`InnoDB: ${yield* data.recover()} log records applied`);
  }
  const listener = os.listen(port);
  if (isErrno(listener)) {
    say("Can't start server: Bind on TCP/IP port: Address already in use");
    return 1;
  }
  os.trap(SIGTERM, function* () {
    say('Normal shutdown');
    os.close(listener);
    const failed = yield* data.close();
    if (pidFile !== undefined) yield* os.remove(pidFile);
    say(failed === undefined ? 'Shutdown complete' : `InnoDB: cannot close the data files: ${failed}`);
    return failed === undefined ? 0 : 1;
  });
  if (pidFile !== undefined) yield* os.writeFile(pidFile, asciiBytes(`${os.pid}\n`));
  say(`ready for connections, port: ${port}`);
  yield* serveStatements(os, listener, { data, refusal: () => undefined });
  return 0;
};

/** Where a file system has no locks there is nobody to share it with. */
function* lockData(os: Os, path: string, say: (text: string) => void): Task<boolean> {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    const locked = yield* os.lockFile(path, { kind: 'posix', isExclusive: true, isWaiting: false });
    if (!isErrno(locked) || locked === 'EOPNOTSUPP') return true;
    if (attempt === 0) say(`InnoDB: Unable to lock ./ibdata1, error: ${locked === 'EAGAIN' ? 11 : locked}`);
    yield* os.sleep(SECOND);
  }
  return false;
}

/** Options of the command line count before those of the `[mysqld]` section. */
function* settingsOf(os: Os, args: readonly string[]): Task<MysqlSettings> {
  const options = new Map(args.flatMap((arg) => pairOf(arg.replace(/^--/, ''))));
  const file = yield* os.readFile(options.get('defaults-file') ?? '/etc/my.cnf');
  const section = isErrno(file) ? [] : (utf8Text(file).split(/^\[mysqld\].*$/m)[1] ?? '').split(/^\[/m, 1);
  const settings = new Map([...(section[0] ?? '').split('\n').flatMap((line) => pairOf(line.trim())), ...options]);
  return {
    datadir: (settings.get('datadir') ?? '/var/lib/mysql').replace(/\/$/, ''),
    port: Number(settings.get('port')) || 3306,
    pidFile: settings.get('pid-file'),
  };
}

function pairOf(text: string): readonly (readonly [string, string])[] {
  const [, key, value] = /^([^=#\s]+)\s*=\s*(.*)$/.exec(text) ?? [];
  return key === undefined ? [] : [[key.replaceAll('_', '-'), value ?? '']];
}
