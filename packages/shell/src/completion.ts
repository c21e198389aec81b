/** How the last word of a line can be completed: by what a node answers to a command. */
export interface Completion {
  /** Where that word begins. */
  readonly start: number;
  /** To be typed on the node; absent when there is nothing to ask. */
  readonly command?: string;
  /** What the word could be, of what the command has printed. */
  candidates(output: string): readonly string[];
}

/** What stands before the last command. */
const SEPARATOR = /.*[|;&]/;
const HOSTS = new Set(['ssh', 'ping', 'arping']);
const SCRIPT_WORDS = ['restart', 'start', 'status', 'stop'];

/**
 * How the last word of a command line is completed: a command where one stands, else a service, a host, or a path, as its place has it.
 * Directories are completed with their slash.
 */
export function completionOf(line: string): Completion {
  const words = line.replace(SEPARATOR, '').trimStart().split(/\s+/);
  const word = words.at(-1) ?? '';
  const start = line.length - word.length;
  const [command, previous] = [words[0], words.at(-2)];
  if (words.length <= 1) return { start, command: `compgen -c ${quoted(word)}`, candidates: linesOf };
  if (command === 'service' || command === 'chkconfig') {
    if (words.length === 2) return { start, command: `compgen -A service ${quoted(word)}`, candidates: linesOf };
    const known = command === 'service' ? SCRIPT_WORDS : ['off', 'on'];
    return { start, candidates: () => known.filter((each) => each.startsWith(word)) };
  }
  const namesHost = command === 'clusvcadm' && ['-m', '-b', '-B'].includes(previous!);
  const isHost = (HOSTS.has(command!) && words.length === 2) || namesHost;
  if (isHost) return { start, command: `compgen -A hostname ${quoted(word)}`, candidates: linesOf };
  // Directories come behind an empty line.
  return {
    start,
    command: `compgen -f ${quoted(word)}; echo; compgen -d ${quoted(word)}`,
    candidates: (output) => {
      const [all = '', directories = ''] = `${output}\n`.split(/^\n/m);
      const known = new Set(linesOf(directories));
      return linesOf(all).map((path) => path.replace(/[ '"\\|&;<>()$`]/g, '\\$&') + (known.has(path) ? '/' : ''));
    },
  };
}

function quoted(word: string): string {
  return `-- '${word.replaceAll('\\', '').replaceAll("'", "'\\''")}'`;
}

function linesOf(output: string): readonly string[] {
  return output.split('\n').filter((line) => line !== '');
}

/** What all candidates begin with: as much as can be typed for a person who has to choose. */
export function commonPrefix(candidates: readonly string[]): string {
  const [first = '', ...others] = candidates;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
