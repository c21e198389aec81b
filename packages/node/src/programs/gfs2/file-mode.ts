/** Makes the new mode of a file of its old one. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

/** Bits of `u`, `g` and `o`, with those that set-ID and sticky bits have in their digit. */
const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
/** Bits that a directory keeps unless they are named. */
const SET_ID = 0o6000;
/** What a mode without `u`, `g`, `o` or `a` leaves alone. */
const UMASK = 0o022;

/**
 * A mode of chmod(1): octal, or `u+x,g-w,a=r` with the letters `rwxXst`, and `u`, `g`, `o` for what those have; undefined when it is none.
 */
export function modeChange(text: string): ModeChange | undefined {
  if (/^[0-7]{1,4}$/.test(text)) {
    const given = Number.parseInt(text, 8);
    return (mode, isDirectory) => (isDirectory ? given | (mode & SET_ID) : given);
  }
  const clauses: ModeChange[] = [];
  for (const clause of text.split(',')) {
    const [, who, actions] = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause) ?? [];
    if (actions === undefined) return undefined;
    for (const [, operator, letters] of actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)) {
      clauses.push(step(who!, operator!, letters!));
    }
  }
  return (mode, isDirectory) => clauses.reduce((now, clause) => clause(now, isDirectory), mode);
}

function step(who: string, operator: string, letters: string): ModeChange {
  const mask = who === '' ? 0o7777 : [...who].reduce((all, letter) => all | WHO[letter]!, 0);
  return (mode, isDirectory) => {
    const bits = bitsOf(letters, mode, isDirectory) & mask & (who === '' ? ~UMASK : 0o7777);
    if (operator === '+') return mode | bits;
    if (operator === '-') return mode & ~bits;
    return (mode & ~(isDirectory ? mask & ~SET_ID : mask)) | bits;
  };
}

function bitsOf(letters: string, mode: number, isDirectory: boolean): number {
  const shift = { u: 6, g: 3, o: 0 }[letters];
  if (shift !== undefined) return ((mode >> shift) & 7) * 0o111;
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'X') bits |= isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0;
    else bits |= { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 }[letter]!;
  }
  return bits;
}
