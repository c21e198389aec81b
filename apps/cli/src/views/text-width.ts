const ESCAPE = '\u001b';

/** Columns that a text takes: escapes that colour it take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { isEscape } of piecesOf(text)) if (!isEscape) width += 1;
  return width;
}

/** Cuts a text to that many columns; one that was cut ends in `…` and in no colour. */
export function clip(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let clipped = '';
  let width = 0;
  let isColoured = false;
  for (const { piece, isEscape } of piecesOf(text)) {
    if (isEscape) isColoured = true;
    else if (width >= columns - 1) break;
    else width += 1;
    clipped += piece;
  }
  return `${clipped}${columns > 0 ? '…' : ''}${isColoured ? `${ESCAPE}[0m` : ''}`;
}

/** Breaks a text between words into lines of that many columns; all but the first begin with `indent`. */
export function wrap(text: string, columns: number, indent: string): readonly string[] {
  const [first = '', ...words] = text.split(/(?<=\S) /);
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    if (widthOf(`${line} ${word}`) <= columns) line += ` ${word}`;
    else {
      lines.push(line);
      line = `${indent}${word}`;
    }
  }
  return [...lines, line];
}

/** Characters and whole escapes. */
function* piecesOf(text: string): Generator<{ readonly piece: string; readonly isEscape: boolean }> {
  let started = '';
  for (const character of text) {
    if (started === '' && character !== ESCAPE) {
      yield { piece: character, isEscape: false };
      continue;
    }
    started += character;
    if (!/[A-Za-z]/.test(character)) continue;
    yield { piece: started, isEscape: true };
    started = '';
  }
}
