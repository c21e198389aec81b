/** Lock modes by their wire value. IV as granted mode: holds nothing; as requested mode: no operation is pending. */
export const Mode = { IV: -1, NL: 0, CR: 1, CW: 2, PR: 3, PW: 4, EX: 5 } as const;
export type Mode = (typeof Mode)[keyof typeof Mode];

const NAMES = ['IV', 'NL', 'CR', 'CW', 'PR', 'PW', 'EX'] as const;
export type ModeName = (typeof NAMES)[number];

/** Name of a mode; `IV` for a number that is none. */
export function modeName(mode: number): ModeName {
  return NAMES[mode + 1] ?? 'IV';
}

/** Whether the number is a mode that can be asked for: NL to EX. */
export function isMode(mode: number): boolean {
  return mode >= Mode.NL && mode <= Mode.EX && Number.isInteger(mode);
}

/**
 * Which modes may be granted together. Rows and columns IV, NL, CR, CW, PR, PW, EX; symmetric.
 *
 * Source: Linux fs/dlm/lock.c, `__dlm_compat_matrix`.
 */
const COMPATIBLE = Uint8Array.of(
  ...[1, 1, 1, 1, 1, 1, 1], // IV
  ...[1, 1, 1, 1, 1, 1, 1], // NL
  ...[1, 1, 1, 1, 1, 1, 0], // CR
  ...[1, 1, 1, 1, 0, 0, 0], // CW
  ...[1, 1, 1, 0, 1, 0, 0], // PR
  ...[1, 1, 1, 0, 0, 0, 0], // PW
  ...[1, 1, 0, 0, 0, 0, 0], // EX
);

export function isCompatible(a: number, b: number): boolean {
  return COMPATIBLE[(a + 1) * 7 + b + 1] === 1;
}

/**
 * Conversions for which QUECVT is legal. Rows (from) and columns (to) as above.
 *
 * Source: Linux fs/dlm/lock.c, `__quecvt_compat_matrix`.
 */
const QUECVT_LEGAL = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0], // IV
  ...[0, 0, 1, 1, 1, 1, 1], // NL
  ...[0, 0, 0, 1, 1, 1, 1], // CR
  ...[0, 0, 0, 0, 1, 1, 1], // CW
  ...[0, 0, 0, 1, 0, 1, 1], // PR
  ...[0, 0, 0, 0, 0, 0, 1], // PW
  ...[0, 0, 0, 0, 0, 0, 0], // EX
);

export function isQuecvtLegal(from: number, to: number): boolean {
  return QUECVT_LEGAL[(from + 1) * 7 + to + 1] === 1;
}

/** What a grant does with the value block: the resource's is read, the caller's is written, or nothing. */
export const LvbOperation = { none: -1, write: 0, read: 1 } as const;

/**
 * Value block operation of a grant. Rows: mode granted before; columns: mode granted now.
 *
 * Source: Linux fs/dlm/lock.c, `dlm_lvb_operations`.
 */
const LVB_OPERATIONS = Int8Array.of(
  ...[-1, 1, 1, 1, 1, 1, 1], // IV
  ...[-1, 1, 1, 1, 1, 1, 1], // NL
  ...[-1, -1, 1, 1, 1, 1, 1], // CR
  ...[-1, -1, -1, 1, 1, 1, 1], // CW
  ...[-1, -1, -1, -1, 1, 1, 1], // PR
  ...[-1, 0, 0, 0, 0, 0, 1], // PW
  ...[-1, 0, 0, 0, 0, 0, 0], // EX
);

export function lvbOperation(from: number, to: number): number {
  return LVB_OPERATIONS[(from + 1) * 7 + to + 1] ?? LvbOperation.none;
}

/** PR to CW or CW to PR: neither includes the other, so it is neither up nor down. */
export function isMiddleConversion(from: number, to: number): boolean {
  return (from === Mode.PR && to === Mode.CW) || (from === Mode.CW && to === Mode.PR);
}

/** A conversion to a mode that the old one includes: always grantable at once. */
export function isDownConversion(from: number, to: number): boolean {
  return to < from && !isMiddleConversion(from, to);
}
