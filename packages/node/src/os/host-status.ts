/**
 * How a command ended that brought no SCSI status: what Linux calls the host byte. Below all statuses.
 *
 * Source: Linux include/scsi/scsi_status.h.
 */
export const HostStatus = {
  /** There is no way to the disk (`DID_NO_CONNECT`, `DID_TRANSPORT_FAILFAST`): it does not help to try again. */
  noConnect: -1,
  /** The way to the disk broke while the command was on it (`DID_TRANSPORT_DISRUPTED`): what was done of it nobody knows. */
  transportDisrupted: -2,
  /** It was not answered, and the error handler has made the disk forget it (`DID_TIME_OUT`). */
  timedOut: -3,
} as const;
