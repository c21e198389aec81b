import { isErrno, type Program, strerror, utf8Bytes } from '@quorate/kernel';
import { parseOptions, posixRegExp } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

/** `sed [-i] [-E] s/pattern/replacement/[gi] [file…]`, several with `-e` or `;` between: the one command of sed that edits configurations. */
export const sed: Program = function* (argv, os) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'inEr', values: 'e' });
  const given = values.get('e');
  const [script, ...paths] = given === undefined ? operands : [given, ...operands];
  if (error !== undefined || script === undefined) {
    os.printError(`sed: ${error ?? 'expected a script: s/pattern/replacement/'}\n`);
    return 1;
  }
  const edits = substitutions(script, flags.has('E') || flags.has('r') ? 'extended' : 'basic');
  if (typeof edits === 'string') {
    os.printError(`sed: -e expression #1: ${edits}\n`);
    return 1;
  }
  const edited = (text: string): string =>
    linesOf(text)
      .map((line) => `${edits.reduce((now, edit) => edit(now), line)}\n`)
      .join('');
  if (!flags.has('i')) return (yield* readAll(os, 'sed', paths, (text) => os.print(edited(text)))) && 2;
  const written: { readonly path: string; readonly text: string }[] = [];
  let status = (yield* readAll(os, 'sed', paths, (text, path) => written.push({ path, text: edited(text) }))) && 2;
  for (const { path, text } of written) {
    const refused = yield* os.writeFile(path, utf8Bytes(text));
    if (!isErrno(refused)) continue;
    os.printError(`sed: couldn't edit ${path}: ${strerror(refused)}\n`);
    status = 4;
  }
  return status;
};

type Edit = (line: string) => string;

/** Or what is wrong with them. */
function substitutions(script: string, kind: 'basic' | 'extended'): readonly Edit[] | string {
  const edits: Edit[] = [];
  for (let rest = script.trim(); rest !== ''; ) {
    const mark = rest[1];
    if (rest[0] !== 's' || mark === undefined) return `unknown command: \`${rest[0]}', only s is known here`;
    const pattern = readPart(rest, 2, mark);
    const replacement = pattern && readPart(rest, pattern.end, mark);
    if (replacement === undefined) return "unterminated `s' command";
    const [, options, after] = /^([gi]*)\s*(?:;\s*|$)(.*)$/s.exec(rest.slice(replacement.end)) ?? [];
    if (options === undefined) return "unknown option to `s'";
    const wanted = posixRegExp(pattern!.text, kind, options);
    if (wanted === undefined) return 'invalid regular expression';
    edits.push((line) =>
      line.replace(wanted, (...found: string[]) => {
        // Behind the groups come the place of what was found, and the line.
        return substituted(replacement.text, found.slice(0, -2));
      }),
    );
    rest = after!;
  }
  return edits;
}

/** Up to the next mark that has no backslash; `end` is behind it. */
function readPart(
  command: string,
  start: number,
  mark: string,
): { readonly text: string; readonly end: number } | undefined {
  let text = '';
  for (let i = start; i < command.length; i++) {
    const character = command[i]!;
    if (character === mark) return { text, end: i + 1 };
    if (character === '\\') i += 1;
    const isEscaped = character === '\\' && command[i] !== mark;
    text += isEscaped ? character + (command[i] ?? '') : command[i];
  }
  return undefined;
}

/** `&` is what was found, `\1` a group of it. */
function substituted(replacement: string, found: readonly string[]): string {
  return replacement.replace(/\\(.)|&/gs, (whole, escaped?: string) => {
    if (whole === '&') return found[0]!;
    if (/[1-9]/.test(escaped!)) return found[Number(escaped)] ?? '';
    return escaped === 'n' ? '\n' : escaped!;
  });
}
