import { asciiBytes, isErrno, type Os, type Program, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { valueAfter } from './options.js';

const SIGTERM = 15;

/** What is modelled of a daemon. */
interface PlainDaemon {
  readonly name: string;
  /** Undefined for one without TCP. */
  readonly port: number | undefined;
  /** Path of its pid file, which its configuration or its command line says. */
  pidFile(os: Os, argv: readonly string[]): Task<string | undefined>;
}

/** A daemon that listens, tells each client its own name and its machine's, and has a pid file until SIGTERM. */
function plainDaemon({ name, port, pidFile }: PlainDaemon): Program {
  return function* (argv, os) {
    const listener = port === undefined ? undefined : os.listen(port);
    if (isErrno(listener)) {
      os.printError(`${name}: cannot listen on port ${port}: ${listener}\n`);
      return 1;
    }
    const file = yield* pidFile(os, argv);
    os.trap(SIGTERM, function* () {
      if (file !== undefined) yield* os.remove(file);
      return 0;
    });
    if (file !== undefined) yield* os.writeFile(file, asciiBytes(`${os.pid}\n`));
    if (listener === undefined) for (;;) yield* os.sleep(Number.POSITIVE_INFINITY);
    for (;;) {
      const client = yield* os.accept(listener);
      if (isErrno(client)) return 1;
      yield* os.send(client, utf8Bytes(`${name} on ${os.hostname}\n`));
      os.close(client);
    }
  };
}

/** Looks for the pid file in a configuration, whose path stands behind an option. */
function inConfiguration(option: string, pattern: RegExp, suffix = ''): PlainDaemon['pidFile'] {
  return function* (os, argv) {
    const bytes = yield* os.readFile(valueAfter(argv, option) ?? '');
    const path = isErrno(bytes) ? undefined : pattern.exec(utf8Text(bytes))?.[1];
    return path === undefined ? undefined : `${path}${suffix}`;
  };
}

function* onCommandLine(_os: Os, argv: readonly string[]): Task<string | undefined> {
  return argv.find((word) => word.startsWith('-Dcatalina.pid='))?.slice('-Dcatalina.pid='.length);
}

const SAMBA_DIRECTORY = /^\s*pid directory\s*=\s*"?([^"\n]*)"?/m;

const DAEMONS: readonly PlainDaemon[] = [
  { name: 'named', port: 53, pidFile: inConfiguration('-c', /^\s*pid-file\s+"(.*)"/m) },
  { name: 'slapd', port: 389, pidFile: inConfiguration('-f', /^pidfile\s+"(.*)"/m) },
  { name: 'smbd', port: 445, pidFile: inConfiguration('-s', SAMBA_DIRECTORY, '/smbd-smb.conf.pid') },
  { name: 'nmbd', port: undefined, pidFile: inConfiguration('-s', SAMBA_DIRECTORY, '/nmbd-smb.conf.pid') },
  { name: 'tomcat6', port: 8080, pidFile: onCommandLine },
  { name: 'java', port: 8080, pidFile: onCommandLine },
];

/** Daemons of which nothing is modelled but that they are there, by name. */
export const plainDaemons: readonly (readonly [string, Program])[] = DAEMONS.map((each) => [
  each.name,
  plainDaemon(each),
]);
