import { type Builtin, OPTIONS, type RunningShell, type Streams } from './state.js';
import { quotedWord } from './word-quotes.js';

const NAMED = [...OPTIONS.values(), 'pipefail'].sort();

/** `shift [N]`: the first arguments are gone. */
export const shift: Builtin = function* ([, given = '1'], shell, streams) {
  const { state } = shell;
  if (!/^\d+$/.test(given)) {
    streams.printError(`${shell.prefix}: shift: ${given}: numeric argument required\n`);
    return 1;
  }
  if (Number(given) > state.positional.length) return 1;
  state.positional = state.positional.slice(Number(given));
  return 0;
};

/** `set [-efux] [-o NAME] [--] [ARGUMENT…]`, and `+` to turn off; without any it lists the variables. */
export const set: Builtin = function* ([, ...words], shell, streams) {
  if (words.length === 0) {
    for (const name of shell.state.variables.names()) streams.print(`${name}=${shown(shell, name)}\n`);
    return 0;
  }
  while (/^[-+]./.test(words[0] ?? '')) {
    const word = words.shift()!;
    if (word === '--') {
      shell.state.positional = words;
      return 0;
    }
    if (!takeLetters(word, words, shell, streams)) return 2;
  }
  if (words.length > 0) shell.state.positional = words;
  return 0;
};

function shown(shell: RunningShell, name: string): string {
  const { variables } = shell.state;
  if (variables.kindOf(name) === 'text') return quotedWord(variables.get(name) ?? '');
  return `(${variables
    .elements(name)
    .map(([key, value]) => `[${key}]="${value}"`)
    .join(' ')})`;
}

/** False for one that there is not, which is complained about. */
function takeLetters(word: string, operands: string[], shell: RunningShell, streams: Streams): boolean {
  const { options } = shell.state;
  const isOn = word.startsWith('-');
  for (const letter of word.slice(1)) {
    const name = letter === 'o' ? operands.shift() : OPTIONS.get(letter);
    if (letter === 'o' && name === undefined) {
      for (const each of NAMED) streams.print(`${each.padEnd(15)}\t${options.has(each) ? 'on' : 'off'}\n`);
    } else if (name === undefined) {
      streams.printError(`${shell.prefix}: set: ${word[0]}${letter}: invalid option\n`);
      streams.printError('set: usage: set [--abefhkmnptuvxBCHP] [-o option-name] [arg ...]\n');
      return false;
    } else if (!NAMED.includes(name)) {
      streams.printError(`${shell.prefix}: set: ${name}: invalid option name\n`);
      return false;
    } else if (isOn) options.add(name);
    else options.delete(name);
  }
  return true;
}
