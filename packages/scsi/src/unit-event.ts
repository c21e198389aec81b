/**
 * Something happened to a logical unit that its initiators should know. Each hears of it by a unit attention with its next
 * command; a transport that can speak first tells them now.
 */
export interface UnitEvent {
  readonly kind: 'unit-event';
  readonly lun: number;
  /** Whom alone it concerns; left out when it concerns all. */
  readonly nexus?: number;
  /** What the unit attention says, as sense data in the unit's format; lent. */
  readonly sense: Uint8Array;
}
