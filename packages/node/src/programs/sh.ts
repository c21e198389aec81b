import { isErrno, type Os, type Program, type ProgramResult, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { type Command, type Pipeline, parseCommandLine } from './command-line.js';

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

/** Runs one command; what goes to a file is not in its output any more. */
function* runCommand(os: Os, command: Command, piped: string): Task<ProgramResult> {
  let input = piped;
  if (command.input !== undefined) {
    const bytes = yield* os.readFile(command.input);
    if (isErrno(bytes)) return failure(`-bash: ${command.input}: ${FILE_ERRORS.get(bytes) ?? bytes}\n`);
    input = utf8Text(bytes);
  }
  const result = yield* os.run(command.words, { environment: os.environment, input });
  if (command.output === undefined) return result;
  const { path, append } = command.output;
  const written = yield* os.writeFile(path, utf8Bytes(result.output), { append });
  if (!isErrno(written)) return { ...result, output: '' };
  return failure(`-bash: ${path}: ${FILE_ERRORS.get(written) ?? written}\n`);
}

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
