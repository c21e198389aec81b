/** A text in which what fits is replaced, from that occurrence on if it is global; undefined when nothing was. */
export function substituted(
  text: string,
  expression: RegExp,
  replacement: string,
  isGlobal: boolean,
  occurrence: number,
): string | undefined {
  let count = 0;
  let hasReplaced = false;
  expression.lastIndex = 0;
  const result = text.replace(expression, (...found: (string | number)[]) => {
    count += 1;
    const isMeant = isGlobal ? count >= occurrence : count === occurrence;
    if (!isMeant) return String(found[0]);
    hasReplaced = true;
    // Behind the groups come the place of what was found, and the text.
    return replacementOf(replacement, found.slice(0, -2) as (string | undefined)[]);
  });
  return hasReplaced ? result : undefined;
}

/** `&` is what was found, `\1` a group of it, `\U` and `\L` turn to capitals and small letters up to `\E`, `\u` and `\l` one. */
function replacementOf(replacement: string, found: readonly (string | undefined)[]): string {
  let result = '';
  let [lasting, next] = ['', ''];
  const add = (text: string): void => {
    for (const character of text) {
      const change = next || lasting;
      const isCapital = change.toLowerCase() === 'u';
      result += change === '' ? character : isCapital ? character.toUpperCase() : character.toLowerCase();
      next = '';
    }
  };
  for (const [whole, escaped] of replacement.matchAll(/\\([\s\S])|[^\\]/g)) {
    if (escaped === undefined) add(whole === '&' ? (found[0] ?? '') : whole);
    else if (/\d/.test(escaped)) add(found[Number(escaped)] ?? '');
    else if (escaped === 'U' || escaped === 'L') lasting = escaped;
    else if (escaped === 'u' || escaped === 'l') next = escaped;
    else if (escaped === 'E') lasting = '';
    else add({ n: '\n', t: '\t' }[escaped] ?? escaped);
  }
  return result;
}
