/** What a figure is held against. Speed fails nobody: the reader judges. */
type Bar = { readonly atMost: number } | { readonly atLeast: number };

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Undefined for what only explains another figure. */
  readonly bar?: Bar;
}

/** One line of a report: the figure, and how it stands to its bar. */
export function figureLine({ name, value, unit, bar }: Figure): string {
  const figure = `  ${name.padEnd(46)}${text(value).padStart(9)} ${unit}`;
  return bar === undefined ? figure : `${figure.padEnd(82)} ${barText(value, bar)}`;
}

function barText(value: number, bar: Bar): string {
  const [words, limit, isMet] =
    'atMost' in bar ? ['at most', bar.atMost, value <= bar.atMost] : ['at least', bar.atLeast, value >= bar.atLeast];
  return `${words} ${limit}: ${isMet ? 'ok' : 'MISSED'}, ${(value / limit).toFixed(2)} of it`;
}

/** Three digits that mean something. */
function text(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
