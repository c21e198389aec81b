import { parseXml } from '@quorate/cluster-conf';
import { ConfigError, isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { type ConfElement, installedAgents, loadRules, RgTest, type RgTestOperation } from '@quorate/rgmanager';

const FAILURE = 255;
const OPERATIONS: readonly RgTestOperation[] = ['start', 'stop', 'status'];

/**
 * `rg_test [AGENTS] rules`, `test CONF`, `noop CONF start|stop|status TYPE NAME`, `delta OLD NEW`. The agents are those of every node.
 *
 * Differs: `test` with an operation, which carries it out, is not served.
 */
export const rgTest: Program = function* (argv, os) {
  const words = argv.slice(1);
  // Where its agents are; all nodes have the same.
  if (words[0]?.startsWith('/')) words.shift();
  const [mode, first, second, type, name] = words;
  const rules = loadRules(installedAgents);
  const test = new RgTest(rules);
  if (mode === undefined || !['rules', 'test', 'noop', 'delta'].includes(mode)) return usage(os);
  os.printError(`Running in ${mode} mode.\nLoaded ${rules.length} resource rules\n`);
  if (mode === 'rules') {
    os.print(test.rules());
    return 0;
  }
  const conf = yield* confOf(os, first);
  if (conf === undefined) return FAILURE;
  if (mode === 'delta') {
    const next = yield* confOf(os, second);
    if (next === undefined) return FAILURE;
    os.print(test.delta(conf, next));
    return 0;
  }
  if (second === undefined) {
    os.print(test.list(conf));
    return 0;
  }
  const operation = OPERATIONS.find((each) => each === second);
  if (operation === undefined || type === undefined || name === undefined) return usage(os);
  if (mode === 'test') {
    os.printError('rg_test: nothing is carried out here: use noop\n');
    return FAILURE;
  }
  const { text, isFound } = test.operate(conf, operation, type, name);
  os.print(text);
  return isFound ? 0 : FAILURE;
};

function* confOf(os: Os, path: string | undefined): Task<ConfElement | undefined> {
  const bytes = path === undefined ? 'ENOENT' : yield* os.readFile(path);
  if (isErrno(bytes)) {
    os.printError(`Error parsing ${path ?? 'no file'}: ${strerror(bytes)}\n`);
    return undefined;
  }
  try {
    return parseXml(utf8Text(bytes), path!).root;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    os.printError(`Error parsing ${error.message}\n`);
    return undefined;
  }
}

function usage(os: Os): number {
  os.printError(
    'usage: rg_test [agents] rules | test <conf> | noop <conf> start|stop|status <type> <name> | delta <old> <new>\n',
  );
  return FAILURE;
}
