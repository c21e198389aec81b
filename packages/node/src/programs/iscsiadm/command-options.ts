/** Options of iscsiadm. A long one may have its value behind `=`; what is no option is ignored. */
const OPTIONS: readonly (readonly [letter: string, name: string, hasValue: boolean])[] = [
  ['m', 'mode', true],
  ['T', 'targetname', true],
  ['p', 'portal', true],
  ['t', 'type', true],
  ['o', 'op', true],
  ['n', 'name', true],
  ['v', 'value', true],
  ['P', 'print', true],
  ['r', 'sid', true],
  ['L', 'loginall', true],
  ['U', 'logoutall', true],
  ['I', 'interface', true],
  ['d', 'debug', true],
  ['l', 'login', false],
  ['u', 'logout', false],
  ['R', 'rescan', false],
  ['S', 'show', false],
  ['D', 'discover', false],
  ['W', 'no_wait', false],
  ['h', 'help', false],
  ['V', 'version', false],
];

export interface CommandOptions {
  /** By the letter of the option; empty for one without a value. */
  readonly given: ReadonlyMap<string, string>;
  /** `unrecognized character 'x'` */
  readonly error: string | undefined;
}

/** Reads a command line as getopt_long does. */
export function parseCommand(args: readonly string[]): CommandOptions {
  const given = new Map<string, string>();
  let error: string | undefined;
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith('--')) {
      const [name = '', ...values] = word.slice(2).split('=');
      const option = OPTIONS.find(([, long]) => long === name);
      if (option === undefined) error ??= `unrecognized option '--${name}'`;
      else take(option, values.length > 0 ? values.join('=') : undefined);
    } else if (word.startsWith('-')) {
      takeLetters(word.slice(1));
    }
  }
  return { given, error };

  function takeLetters(letters: string): void {
    for (let i = 0; i < letters.length; i++) {
      const option = OPTIONS.find(([letter]) => letter === letters[i]);
      if (option === undefined) error ??= `unrecognized character '${letters[i]}'`;
      else if (option[2]) return take(option, letters.slice(i + 1) || undefined);
      else take(option, undefined);
    }
  }

  function take([letter, , hasValue]: (typeof OPTIONS)[number], value: string | undefined): void {
    if (!hasValue) given.set(letter, '');
    else {
      const found = value ?? rest.shift();
      if (found === undefined) error ??= `option requires an argument -- '${letter}'`;
      else given.set(letter, found);
    }
  }
}
