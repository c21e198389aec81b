import { isErrno, type Os, type Program, strerror, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { readAll } from '../read-all.js';
import { Editor, linesIn } from './editor.js';
import { parseScript } from './parser.js';
import { type Command, ScriptComplaint } from './script.js';

const LONG: Readonly<Record<string, string>> = { quiet: 'n', silent: 'n', 'regexp-extended': 'r', separate: 's' };

/**
 * `sed [-nErs] [-i[SUFFIX]] [-e SCRIPT]… [-f FILE] [SCRIPT] [FILE…]`, with all of its commands but `e`, `F`, `R`, `v`, `W` and `z`.
 *
 * As sed, what `-i` edits is put in the place of the file when it has all been edited.
 */
export const sed: Program = function* (argv, os) {
  const { words, suffix } = inPlace(argv.slice(1));
  const { flags, all, operands, error } = parseOptions(words, { flags: 'nErs', values: 'ef' });
  const scripts = [...all('e')];
  for (const path of all('f')) {
    const bytes = yield* os.readFile(path);
    if (isErrno(bytes)) return complain(os, `couldn't open file ${path}: ${strerror(bytes)}`);
    scripts.push(utf8Text(bytes).replace(/\n$/, ''));
  }
  const paths = scripts.length > 0 ? operands : operands.slice(1);
  if (scripts.length === 0) scripts.push(...operands.slice(0, 1));
  if (error !== undefined || scripts.length === 0) {
    if (error !== undefined) os.printError(`sed: ${error}\n`);
    os.printError('Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n');
    return 1;
  }
  let commands: readonly Command[];
  try {
    commands = parseScript(scripts.join('\n'), flags.has('E') || flags.has('r') ? 'extended' : 'basic');
  } catch (mistake) {
    if (!(mistake instanceof ScriptComplaint)) throw mistake;
    return complain(os, mistake.message);
  }
  const files: { readonly path: string; readonly text: string }[] = [];
  let status = (yield* readAll(os, 'sed', paths, (text, path) => files.push({ path, text }))) && 2;
  const isApart = suffix !== undefined || flags.has('s');
  for (const group of isApart ? files.map((file) => [file]) : [files]) {
    const edited = yield* new Editor(os, commands, flags.has('n'), linesIn(group.map(({ text }) => text))).edit();
    if (suffix === undefined) os.print(edited.text);
    else status = (yield* replace(os, group[0]!, edited.text, suffix)) || status;
    if (edited.status !== undefined) return edited.status || status;
  }
  return status;
};

function complain(os: Os, text: string): number {
  os.printError(`sed: ${text}\n`);
  return 1;
}

/** The words without `-i`, and its suffix; undefined when it is not there. */
function inPlace(given: readonly string[]): { readonly words: readonly string[]; readonly suffix: string | undefined } {
  let suffix: string | undefined;
  const words = given.flatMap((word) => {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === 'in-place') suffix = value ?? '';
    if (name === 'in-place') return [];
    if (name === 'expression' || name === 'file') return [`-${name[0]}${value ?? ''}`];
    if (name !== undefined) return [`-${LONG[name] ?? name}`];
    const [, before, behind] = /^-([nErs]*)i(.*)$/s.exec(word) ?? [];
    if (before === undefined) return [word];
    suffix = behind!;
    return before === '' ? [] : [`-${before}`];
  });
  return { words, suffix };
}

function* replace(
  os: Os,
  { path, text: before }: { readonly path: string; readonly text: string },
  text: string,
  suffix: string,
): Task<number> {
  const kept = suffix === '' ? undefined : yield* os.writeFile(`${path}${suffix}`, utf8Bytes(before));
  const refused = isErrno(kept) ? kept : yield* os.writeFile(path, utf8Bytes(text));
  if (!isErrno(refused)) return 0;
  os.printError(`sed: couldn't edit ${path}: ${strerror(refused)}\n`);
  return 4;
}
