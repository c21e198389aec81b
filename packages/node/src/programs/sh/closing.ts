/** Where the bracket is closed that a text begins with; those between quotes do not count. -1 when it is not. */
export function closingOf(text: string, opening: string, closing: string): number {
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '\\' && quote !== "'") i += 1;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === "'" || character === '"') quote = character;
    else if (character === opening) depth += 1;
    else if (character === closing) {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}
