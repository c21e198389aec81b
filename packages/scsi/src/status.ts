/**
 * Status byte with which a command ends.
 *
 * Source: SAM-5, "Status codes". RESERVATION CONFLICT carries no sense data.
 */
export const Status = {
  good: 0x00,
  checkCondition: 0x02,
  conditionMet: 0x04,
  busy: 0x08,
  reservationConflict: 0x18,
  taskSetFull: 0x28,
  acaActive: 0x30,
  taskAborted: 0x40,
} as const;

export type Status = (typeof Status)[keyof typeof Status];
