/** A column of a report: its heading, and to which side its values go. Headings go to the left. */
export interface Column {
  readonly heading: string;
  readonly isNumber?: boolean;
  /** Characters that it has at least; its heading's length by default. */
  readonly width?: number;
}

/** Lines as LVM prints a report: two blanks before each, columns as wide as they have to be. No rows: nothing at all. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  hasHeadings = true,
): string {
  if (rows.length === 0) return '';
  const widths = columns.map(({ heading, width = 0 }, i) =>
    Math.max(hasHeadings ? heading.length : 0, width, ...rows.map((row) => row[i]!.length)),
  );
  const headings = columns.map(({ heading }, i) => heading.padEnd(widths[i]!));
  const lines = rows.map((row) =>
    row.map((value, i) => (columns[i]!.isNumber === true ? value.padStart(widths[i]!) : value.padEnd(widths[i]!))),
  );
  return [...(hasHeadings ? [headings] : []), ...lines].map((line) => `  ${line.join(' ')}\n`).join('');
}
