import type { Program } from '@quorate/kernel';

/** `sh -c 'words'`: runs one command made of words, as heuristics and scripts of the stack need it. */
export const sh: Program = function* (argv, os) {
  const at = argv.indexOf('-c');
  const words = (argv[at + 1] ?? '').trim().split(/\s+/);
  if (at < 0 || words[0] === '') {
    os.printError('sh: expected -c and a command\n');
    return 2;
  }
  const { status, output, errors } = yield* os.run(words, { environment: os.environment, input: os.input });
  os.print(output);
  os.printError(errors);
  return status;
};
