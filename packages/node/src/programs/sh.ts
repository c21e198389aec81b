import { isErrno, type Os, type Program, type ProgramResult, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { type Command, type Pipeline, parseCommandLine, type Target } from './command-line.js';

/** `sh -c 'command line'`. */
export const sh: Program = function* (argv, os) {
  const at = argv.indexOf('-c');
  const line = argv[at + 1];
  if (at < 0 || line === undefined) {
    os.printError('sh: expected -c and a command line\n');
    return 2;
  }
  const pipelines = parseCommandLine(line);
  if (typeof pipelines === 'string') {
    os.printError(`-bash: ${pipelines}\n`);
    return 2;
  }
  let status = 0;
  for (const pipeline of pipelines) {
    const isDue = pipeline.when === 'always' || (pipeline.when === 'success') === (status === 0);
    if (isDue) status = yield* runPipeline(os, pipeline);
  }
  return status;
};

function* runPipeline(os: Os, { commands }: Pipeline): Task<number> {
  let input = os.input;
  let status = 0;
  for (const [i, command] of commands.entries()) {
    const result = yield* runCommand(os, command, input);
    os.printError(result.errors);
    status = result.status;
    if (i === commands.length - 1) os.print(result.output);
    else input = result.output;
  }
  return status;
}

/** Runs one command; what goes to a file is not in its output or its complaints any more. */
function* runCommand(os: Os, command: Command, piped: string): Task<ProgramResult> {
  const input = yield* inputOf(os, command, piped);
  if (typeof input !== 'string') return input;
  const { status, ...said } = yield* os.run(command.words, { environment: os.environment, input });
  const isJoined = command.errors === 'output';
  const output = isJoined ? said.output + said.errors : said.output;
  const errors = isJoined ? '' : said.errors;
  const toOutput = yield* redirect(os, command.output, output);
  const toErrors = yield* redirect(os, command.errors === 'output' ? undefined : command.errors, errors);
  return typeof toOutput === 'string' && typeof toErrors === 'string'
    ? { status, output: toOutput, errors: toErrors }
    : ([toOutput, toErrors].find((each) => typeof each !== 'string') as ProgramResult);
}

function* inputOf(os: Os, { input }: Command, piped: string): Task<string | ProgramResult> {
  if (input === undefined) return piped;
  if ('text' in input) return input.text;
  if (input.path === NOWHERE) return '';
  const bytes = yield* os.readFile(input.path);
  return isErrno(bytes) ? failure(`-bash: ${input.path}: ${FILE_ERRORS.get(bytes) ?? bytes}\n`) : utf8Text(bytes);
}

/** What is left of a text when a part of it goes to a file, or the shell's complaint. */
function* redirect(os: Os, to: Target | undefined, text: string): Task<string | ProgramResult> {
  if (to === undefined) return text;
  if (to.path === NOWHERE) return '';
  const written = yield* os.writeFile(to.path, utf8Bytes(text), { append: to.append });
  return isErrno(written) ? failure(`-bash: ${to.path}: ${FILE_ERRORS.get(written) ?? written}\n`) : '';
}

const NOWHERE = '/dev/null';

function failure(errors: string): ProgramResult {
  return { status: 1, output: '', errors };
}

const FILE_ERRORS = new Map<string, string>([
  ['ENOENT', 'No such file or directory'],
  ['EISDIR', 'Is a directory'],
  ['ENOTDIR', 'Not a directory'],
  ['EIO', 'Input/output error'],
  ['ENOSPC', 'No space left on device'],
  ['EROFS', 'Read-only file system'],
]);
