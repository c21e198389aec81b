const CONTROL = /\p{Cc}/u;
const CONTROLS = /\p{Cc}/gu;

/** A word as `set -x` and `set` show it: quoted if a shell would read it as something else. */
export function quotedWord(word: string): string {
  if (word === '') return "''";
  if (CONTROL.test(word)) return `$'${word.replace(/[\\']/g, '\\$&').replace(CONTROLS, escapeOf)}'`;
  return /[\s'"\\|&;()<>!{}*[\]?^$`]|^[~#]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : word;
}

/** A word as `printf %q` shows it: a backslash before what a shell would read as something else. */
export function escapedWord(word: string): string {
  if (word === '') return "''";
  if (CONTROL.test(word)) return quotedWord(word);
  return word.replace(/[\s'"\\|&;()<>!{}*[\]?^$`,]|^[~#]/g, '\\$&');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\x1b': '\\E',
  '\x07': '\\a',
};

function escapeOf(character: string): string {
  return ESCAPES[character] ?? `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}
