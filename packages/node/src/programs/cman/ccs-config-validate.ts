import { type ConfWarning, parseClusterConf, validateClusterConf } from '@quorate/cluster-conf';
import { ConfigError, isErrno, type Os, type Program, type Task, utf8Text } from '@quorate/kernel';
import { CONF_FILE } from '../../stack-config.js';
import { getopt } from '../options.js';

/** Exit status of xmllint for a document that is not valid. */
const INVALID = 3;
const NOT_NEWER = 254;
const GENERIC_ERROR = 255;

interface Options {
  file: string;
  isQuiet: boolean;
  isVerbose: boolean;
  /** `-R`: the version that runs; 0: none. */
  running: number;
}

/**
 * `ccs_config_validate [-q] [-v] [-f file] [-R version]`: whether a `cluster.conf` is one that a cluster starts with, and
 * with `-R` whether it is newer than the one that runs.
 *
 * What is wrong is said in this project's words, and so is what is only doubtful, unless with `-q`; the last line and the exit status are the original's.
 * Source: cluster.git config/tools/xml/ccs_config_validate.in.
 */
export const ccsConfigValidate: Program = function* (argv, os) {
  const options: Options = { file: CONF_FILE, isQuiet: false, isVerbose: false, running: 0 };
  for (const each of getopt(argv.slice(1), 't:hVnC:f:l:rR:ovqu')) {
    if (each.kind === 'operand') continue;
    if (each.kind === 'error') {
      os.printError(`ccs_config_validate: ${each.text}\n`);
      return GENERIC_ERROR;
    }
    if (each.letter === 'h') {
      os.print('Usage:\n\nccs_config_validate [-q] [-v] [-f file] [-R version]\n');
      return 0;
    }
    takeOption(options, each.letter, each.value);
  }
  return yield* validate(os, options);
};

function takeOption(options: Options, letter: string, value: string | undefined): void {
  if (letter === 'f' || letter === 'l') options.file = value!;
  else if (letter === 'R') options.running = Number(value) || 0;
  else if (letter === 'q') options.isQuiet = true;
  else if (letter === 'v') options.isVerbose = true;
}

function* validate(os: Os, { file, isQuiet, isVerbose, running }: Options): Task<number> {
  const bytes = yield* os.readFile(file);
  if (isErrno(bytes)) {
    os.print('\n');
    os.printError('Unable to get the configuration\n');
    return GENERIC_ERROR;
  }
  const text = utf8Text(bytes);
  const { errors, warnings } = validateClusterConf(text, file);
  if (errors.length > 0) {
    os.print(`${errors.map(({ message }) => message).join('\n')}\nConfiguration fails to validate\n`);
    return INVALID;
  }
  if (!isQuiet) for (const warning of warnings) os.printError(`warning: ${warningText(warning)}\n`);
  const { configVersion } = parseClusterConf(text, file).conf;
  if (running !== 0 && isVerbose) os.print(`Old version: ${running} New version: ${configVersion}\n`);
  if (running !== 0 && configVersion <= running) {
    if (!isQuiet) os.printError('Error: Configuration version is older than running config!\n');
    return NOT_NEWER;
  }
  if (!isQuiet) os.print('Configuration validates\n');
  return 0;
}

/** As an error is told. */
function warningText({ path, value, expected, place }: ConfWarning): string {
  return new ConfigError(path, value, expected, place).message;
}
