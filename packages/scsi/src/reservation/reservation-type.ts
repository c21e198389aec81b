/**
 * Types of persistent reservations; `none` stands for no reservation.
 *
 * code short name                                 holder                  read by others  write by others
 *    1 WE    Write Exclusive                      the reserving nexus     all             nobody
 *    3 EA    Exclusive Access                     the reserving nexus     nobody          nobody
 *    5 WERO  Write Exclusive - Registrants Only   the reserving nexus     all             registered
 *    6 EARO  Exclusive Access - Registrants Only  the reserving nexus     registered      registered
 *    7 WEAR  Write Exclusive - All Registrants    every registered nexus  all             registered
 *    8 EAAR  Exclusive Access - All Registrants   every registered nexus  registered      registered
 *
 * Source: SPC-4, "Persistent reservations type".
 */
export const ReservationType = {
  none: 0,
  writeExclusive: 1,
  exclusiveAccess: 3,
  writeExclusiveRegistrantsOnly: 5,
  exclusiveAccessRegistrantsOnly: 6,
  writeExclusiveAllRegistrants: 7,
  exclusiveAccessAllRegistrants: 8,
} as const;

export type ReservationType = (typeof ReservationType)[keyof typeof ReservationType];

/** Whether that code of a CDB names a type. */
export function isReservationType(code: number): code is ReservationType {
  return code === 1 || code === 3 || (code >= 5 && code <= 8);
}

/** Whether every registered nexus holds a reservation of that type. */
export function isAllRegistrants(type: number): boolean {
  return type === 7 || type === 8;
}

/** Whether registered nexuses that do not hold it may write: Registrants Only and All Registrants. */
export function admitsRegistrants(type: number): boolean {
  return type >= 5;
}

/** Whether others may not even read: Exclusive Access in its three forms. */
export function isExclusiveAccess(type: number): boolean {
  return type === 3 || type === 6 || type === 8;
}
