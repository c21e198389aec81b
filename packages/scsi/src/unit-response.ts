/** How a command of a nexus ended. `sense` and `data` are lent. */
export interface UnitResponse {
  readonly kind: 'response';
  readonly nexus: number;
  readonly lun: number;
  readonly tag: number;
  /** SCSI status byte, see `Status`. */
  readonly status: number;
  /** Sense data in the unit's format; empty unless CHECK CONDITION. */
  readonly sense: Uint8Array;
  /** Data-In; it may be the bytes of the store themselves. */
  readonly data: Uint8Array;
}
