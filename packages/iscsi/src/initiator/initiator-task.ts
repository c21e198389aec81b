/** A command of the initiator, from its input to its response. */
export interface InitiatorTask {
  /** The caller's number. */
  readonly id: number;
  readonly lun: number;
  readonly cdb: Uint8Array;
  /** ATTR of the SCSI Command. */
  readonly attribute: number;
  /** Data-Out, our own copy. */
  readonly dataOut: Uint8Array;
  /** Room for Data-In: as much as is expected. */
  readonly dataIn: Uint8Array;
  /** Bytes of Data-In that came. */
  received: number;
  nextDataSn: number;
}
