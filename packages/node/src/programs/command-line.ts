/** One command of a command line. */
export interface Command {
  readonly words: readonly string[];
  /** File that standard output goes to. */
  readonly output?: { readonly path: string; readonly append: boolean };
  /** File that standard input comes from. */
  readonly input?: string;
}

/** Commands joined by `|`, and how they hang on the ones before them. */
export interface Pipeline {
  readonly commands: readonly Command[];
  /** Run it: always (`;`), if what was before succeeded (`&&`), or failed (`||`). */
  readonly when: 'always' | 'success' | 'failure';
}

type Token = { readonly kind: 'word'; readonly text: string } | { readonly kind: 'operator'; readonly text: string };

const OPERATORS = ['&&', '||', '>>', '>', '<', '|', ';'];

/**
 * Reads a command line as a shell does: words with quotes and backslashes, redirections, pipes, `;`, `&&` and `||`.
 *
 * Returns the complaint of bash when it is none: an open quote, or an operator without a command.
 */
export function parseCommandLine(line: string): readonly Pipeline[] | string {
  const tokens = tokenize(line);
  if (typeof tokens === 'string') return tokens;
  const pipelines: Pipeline[] = [];
  let when: Pipeline['when'] = 'always';
  let commands: Command[] = [];
  let command: { words: string[]; output?: Command['output']; input?: string } = { words: [] };
  const endCommand = (operator: string): string | undefined => {
    if (command.words.length === 0) return `syntax error near unexpected token \`${operator}'`;
    commands.push(command as Command);
    command = { words: [] };
    return undefined;
  };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === 'word') {
      command.words.push(token.text);
      continue;
    }
    if (token.text === '>' || token.text === '>>' || token.text === '<') {
      const target = tokens[i + 1];
      if (target?.kind !== 'word') return `syntax error near unexpected token \`${target?.text ?? 'newline'}'`;
      if (token.text === '<') command.input = target.text;
      else command.output = { path: target.text, append: token.text === '>>' };
      i += 1;
      continue;
    }
    const isTrailing = token.text === ';' && i === tokens.length - 1;
    const complaint = endCommand(token.text);
    if (complaint !== undefined) return complaint;
    if (token.text === '|') continue;
    pipelines.push({ commands, when });
    commands = [];
    when = token.text === '&&' ? 'success' : token.text === '||' ? 'failure' : 'always';
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
  let word: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) tokens.push({ kind: 'word', text: word });
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
      word = (word ?? '') + (line[i] ?? '');
    } else if (character === ' ' || character === '\t' || character === '\n') endWord();
    else if (character === '#' && word === undefined) break;
    else {
      const operator = OPERATORS.find((each) => line.startsWith(each, i));
      if (operator === undefined) word = (word ?? '') + character;
      else {
        endWord();
        tokens.push({ kind: 'operator', text: operator });
        i += operator.length - 1;
      }
    }
  }
  endWord();
  return tokens;
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
