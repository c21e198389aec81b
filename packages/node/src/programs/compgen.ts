import { isErrno, type Os, type Program, type Task, utf8Text } from '@quorate/kernel';
import { namesInHosts } from './hosts.js';
import { BUILTINS } from './sh/builtins.js';

const SCRIPTS = '/etc/init.d/';
const ACTIONS = new Map([
  ['-c', 'command'],
  ['-d', 'directory'],
  ['-f', 'file'],
]);

/**
 * `compgen -c|-d|-f [WORD]`, `compgen -A command|directory|file|hostname|service [WORD]`: what there is that begins so, sorted, one
 * a line. 1 when there is nothing.
 *
 * @param names - what can be run.
 */
export function compgen(names: () => Iterable<string>): Program {
  return function* (argv, os) {
    const [option = '', ...rest] = argv.slice(1);
    const action = option === '-A' ? rest.shift() : ACTIONS.get(option);
    const word = rest.find((each) => each !== '--') ?? '';
    const found = yield* begunBy(os, action, word, names);
    if (found === undefined) {
      os.printError(
        `-bash: compgen: ${option === '-A' ? `${action}: invalid action name` : `${option}: invalid option`}\n`,
      );
      return 2;
    }
    for (const each of [...new Set(found)].sort()) os.print(`${each}\n`);
    return found.length > 0 ? 0 : 1;
  };
}

function* begunBy(
  os: Os,
  action: string | undefined,
  word: string,
  names: () => Iterable<string>,
): Task<readonly string[] | undefined> {
  switch (action) {
    case 'command':
      return [...names(), ...BUILTINS.keys()].filter((name) => !name.includes('/') && name.startsWith(word));
    case 'service':
      return [...names()].flatMap((name) => (name.startsWith(SCRIPTS + word) ? [name.slice(SCRIPTS.length)] : []));
    case 'hostname': {
      const hosts = yield* os.readFile('/etc/hosts');
      return isErrno(hosts) ? [] : namesInHosts(utf8Text(hosts)).filter((name) => name.startsWith(word));
    }
    case 'file':
    case 'directory':
      return yield* paths(os, word, action === 'directory');
    default:
      return undefined;
  }
}

function* paths(os: Os, word: string, areDirectories: boolean): Task<readonly string[]> {
  const head = word.slice(0, word.lastIndexOf('/') + 1);
  const directory = head === '' ? './' : head;
  const entries = yield* os.list(directory);
  const found: string[] = [];
  for (const name of isErrno(entries) ? [] : entries) {
    const path = head + name;
    const isHidden = name.startsWith('.') && word === head;
    if (!path.startsWith(word) || isHidden) continue;
    if (areDirectories) {
      const info = yield* os.stat(directory + name);
      if (isErrno(info) || info.type !== 'directory') continue;
    }
    found.push(path);
  }
  return found;
}
