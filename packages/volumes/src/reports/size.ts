const UNITS = 'kmgtpe';

/** Value and unit with two digits behind the point: the largest unit that the size reaches. `sectors` of 512 bytes. */
function scaled(sectors: number): { readonly value: string; readonly unit: string } {
  let size = sectors / 2;
  let unit = 0;
  for (; size >= 1024 && unit + 1 < UNITS.length; unit++) size /= 1024;
  return { value: size.toFixed(2), unit: UNITS[unit]! };
}

/** As in a column of pvs, vgs and lvs: `20.00g`; nothing is `0 `. */
export function columnSize(sectors: number): string {
  if (sectors === 0) return '0 ';
  const { value, unit } = scaled(sectors);
  return `${value}${unit}`;
}

/** As pvdisplay and its like print it: `20.00 GiB`; nothing is `0   `. */
export function displaySize(sectors: number): string {
  if (sectors === 0) return '0   ';
  const { value, unit } = scaled(sectors);
  return `${value} ${unit.toUpperCase()}iB`;
}
