/** One command of a command line. */
export interface Command {
  readonly words: readonly string[];
  readonly output?: Target;
  /** `output`: where standard output goes. */
  readonly errors?: Target | 'output';
  /** Where standard input comes from: a file, or a text that stands in the command line (`<<EOF`). */
  readonly input?: { readonly path: string } | { readonly text: string };
}

/** A file that is written, or added to. */
export interface Target {
  readonly path: string;
  readonly append: boolean;
}

/** Commands joined by `|`, and how they hang on the ones before them. */
export interface Pipeline {
  readonly commands: readonly Command[];
  /** Run it: always (`;`), if what was before succeeded (`&&`), or failed (`||`). */
  readonly when: 'always' | 'success' | 'failure';
}

interface Token {
  /** `text`: of a here-document, behind its operator. */
  readonly kind: 'word' | 'operator' | 'text';
  text: string;
  /** The end of the here-document has not come. */
  isOpen?: boolean;
}

const OPERATORS = ['&&', '||', '&>', '>>', '>', '<<', '<', '|', ';', '\n'];
/** Where no word has begun, these redirect the complaints. */
const OF_ERRORS = ['2>&1', '2>>', '2>'];

/** Operators behind which the name of a file stands. */
const REDIRECTIONS = new Map<string, (path: string) => Partial<Command>>([
  ['<', (path) => ({ input: { path } })],
  ['>', (path) => ({ output: { path, append: false } })],
  ['>>', (path) => ({ output: { path, append: true } })],
  ['2>', (path) => ({ errors: { path, append: false } })],
  ['2>>', (path) => ({ errors: { path, append: true } })],
  ['&>', (path) => ({ output: { path, append: false }, errors: 'output' })],
]);

interface Draft extends Command {
  readonly words: string[];
}

/**
 * Reads a command line as a shell does: words with quotes and backslashes, redirections, here-documents, pipes, `;`, `&&`, `||`,
 * and several lines. Nothing is expanded.
 *
 * Returns the complaint of bash when it is none: an open quote, or an operator without a command.
 */
export function parseCommandLine(line: string): readonly Pipeline[] | string {
  const tokens = tokenize(line);
  if (typeof tokens === 'string') return tokens;
  const pipelines: Pipeline[] = [];
  let when: Pipeline['when'] = 'always';
  let commands: Command[] = [];
  let command: Draft = { words: [] };
  const endCommand = (operator: string): string | undefined => {
    if (command.words.length === 0) return `syntax error near unexpected token \`${operator}'`;
    commands.push(command);
    command = { words: [] };
    return undefined;
  };
  for (let i = 0; i < tokens.length; i++) {
    const { kind, text } = tokens[i]!;
    if (kind === 'word') {
      command.words.push(text);
      continue;
    }
    if (text === '2>&1') {
      Object.assign(command, { errors: 'output' });
      continue;
    }
    const redirect = REDIRECTIONS.get(text);
    if (redirect !== undefined || text === '<<') {
      const target = tokens[i + 1];
      if (target === undefined || target.kind === 'operator') {
        return `syntax error near unexpected token \`${target === undefined || target.text === '\n' ? 'newline' : target.text}'`;
      }
      if (redirect === undefined) Object.assign(command, { input: { text: target.text } });
      else Object.assign(command, redirect(target.text));
      i += 1;
      continue;
    }
    const isEmptyLine = text === '\n' && command.words.length === 0 && commands.length === 0;
    if (isEmptyLine) continue;
    const complaint = endCommand(text === '\n' ? 'newline' : text);
    if (complaint !== undefined) return complaint;
    if (text === '|') continue;
    pipelines.push({ commands, when });
    commands = [];
    when = text === '&&' ? 'success' : text === '||' ? 'failure' : 'always';
    const isTrailing = when === 'always' && tokens.slice(i + 1).every((token) => token.text === '\n');
    if (isTrailing) return pipelines;
  }
  if (command.words.length === 0 && commands.length === 0 && pipelines.length === 0) return [];
  const complaint = endCommand('newline');
  if (complaint !== undefined) return complaint;
  pipelines.push({ commands, when });
  return pipelines;
}

function tokenize(line: string): readonly Token[] | string {
  const tokens: Token[] = [];
  /** Here-documents whose texts begin behind this line. */
  const awaited: Token[] = [];
  let word: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) {
      const isDelimiter = tokens.at(-1)?.text === '<<' && tokens.at(-1)?.kind === 'operator';
      const token: Token = { kind: isDelimiter ? 'text' : 'word', text: word };
      if (isDelimiter) awaited.push(token);
      tokens.push(token);
    }
    word = undefined;
  };
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (character === "'" || character === '"') {
      const quoted = readQuoted(line, i);
      if (quoted === undefined) return `unexpected EOF while looking for matching \`${character}'`;
      word = (word ?? '') + quoted.text;
      i = quoted.end;
    } else if (character === '\\') {
      i += 1;
      if (line[i] !== '\n') word = (word ?? '') + (line[i] ?? '');
    } else if (character === ' ' || character === '\t') endWord();
    else if (character === '#' && word === undefined) {
      while (i + 1 < line.length && line[i + 1] !== '\n') i += 1;
    } else {
      const known = word === undefined ? [...OF_ERRORS, ...OPERATORS] : OPERATORS;
      const operator = known.find((each) => line.startsWith(each, i));
      if (operator === undefined) word = (word ?? '') + character;
      else {
        endWord();
        tokens.push({ kind: 'operator', text: operator });
        i += operator.length - 1;
        if (operator === '\n') for (const token of awaited.splice(0)) i = readDocument(line, i + 1, token) - 1;
      }
    }
  }
  endWord();
  for (const token of awaited) Object.assign(token, { text: '', isOpen: true });
  return tokens;
}

/** Replaces a delimiter by the lines up to it, or up to the end where it is missing; gives the place behind it. */
function readDocument(line: string, start: number, token: Token): number {
  const lines: string[] = [];
  for (let at = start; at < line.length; ) {
    const newline = line.indexOf('\n', at);
    const end = newline < 0 ? line.length : newline;
    const text = line.slice(at, end);
    at = end + 1;
    if (text === token.text) {
      token.text = lines.join('');
      return at;
    }
    lines.push(`${text}\n`);
  }
  Object.assign(token, { text: lines.join(''), isOpen: true });
  return line.length + 1;
}

/** Whether a quote or a here-document is open at its end: bash would ask for another line. */
export function isIncomplete(line: string): boolean {
  const tokens = tokenize(line);
  return typeof tokens === 'string' || tokens.some(({ isOpen }) => isOpen === true);
}

function readQuoted(line: string, start: number): { readonly text: string; readonly end: number } | undefined {
  const quote = line[start]!;
  let text = '';
  for (let i = start + 1; i < line.length; i++) {
    const character = line[i]!;
    if (character === quote) return { text, end: i };
    if (quote === '"' && character === '\\' && '"\\$`'.includes(line[i + 1] ?? '')) {
      i += 1;
      text += line[i];
    } else text += character;
  }
  return undefined;
}
