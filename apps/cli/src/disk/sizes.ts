import { UsageError } from '../usage-error.js';

const UNITS = ['', 'k', 'M', 'G', 'T'];

/** `64M`, `100GiB`, `1.5T`, `4096`: bytes, in powers of 1024 as the tools for disk images have them. */
export function sizeOf(what: string, text: string): number {
  const [, number, unit = ''] = /^([0-9]+(?:\.[0-9]+)?)([kKmMgGtT]?)(?:i?[bB])?$/.exec(text) ?? [];
  const power = UNITS.findIndex((each) => each.toLowerCase() === unit.toLowerCase());
  const bytes = Number(number) * 1024 ** power;
  if (number !== undefined && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new UsageError(`${what}: found "${text}", expected a size in bytes, or with k, M, G or T: 64M`);
}

/** `100 GiB`, `1.46 GiB`, `512 bytes`. */
export function sizeText(bytes: number): string {
  let power = 0;
  while (power < 4 && bytes >= 1024 ** (power + 1)) power += 1;
  if (power === 0) return `${bytes} bytes`;
  const value = bytes / 1024 ** power;
  const digits = Number.isInteger(value) ? `${value}` : value.toPrecision(3);
  return `${digits} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}
