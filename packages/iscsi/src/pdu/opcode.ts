/** Opcodes of PDUs, byte 0 bits 5-0. Source: RFC 7143, 11.2.1.2. */
export const PduOpcode = {
  nopOut: 0x00,
  scsiCommand: 0x01,
  taskManagement: 0x02,
  login: 0x03,
  text: 0x04,
  dataOut: 0x05,
  logout: 0x06,
  snack: 0x10,
  nopIn: 0x20,
  scsiResponse: 0x21,
  taskManagementResponse: 0x22,
  loginResponse: 0x23,
  textResponse: 0x24,
  dataIn: 0x25,
  logoutResponse: 0x26,
  r2t: 0x31,
  asyncMessage: 0x32,
  reject: 0x3f,
} as const;

/** A task tag or transfer tag that names nothing. */
export const NO_TAG = 0xffff_ffff;

/** Byte 0 bit 6 of a request: it is carried out at once, and takes no CmdSN. */
export const IMMEDIATE = 0x40;

/** Byte 1 bit 7 of every PDU that ends a sequence. */
export const FINAL = 0x80;

/** Flags of a SCSI Command. Source: RFC 7143, 11.3.1. */
export const CommandFlag = { read: 0x40, write: 0x20, attribute: 0x07 } as const;

/** Flags of a Data-In and, as far as they exist there, of a SCSI Response. Source: RFC 7143, 11.4.1 and 11.7.1. */
export const ResponseFlag = { overflow: 0x04, underflow: 0x02, status: 0x01 } as const;

/** Flags and stages of Login Request and Response. Source: RFC 7143, 11.12. */
export const LoginFlag = { transit: 0x80, continue: 0x40 } as const;

/** Stages of a login, CSG and NSG. */
export const Stage = { security: 0, operational: 1, fullFeature: 3 } as const;

/** Flags of Text Request and Response. */
export const TextFlag = { final: 0x80, continue: 0x40 } as const;

/** Why a PDU was rejected. Source: RFC 7143, 11.17.1. */
export const RejectReason = {
  dataDigest: 0x02,
  snack: 0x03,
  protocolError: 0x04,
  notSupported: 0x05,
  tooManyImmediate: 0x06,
  taskInProgress: 0x07,
  invalidField: 0x09,
  waitingForLogout: 0x0c,
} as const;

export type RejectReason = (typeof RejectReason)[keyof typeof RejectReason];

/** Task management functions. Source: RFC 7143, 11.5.1. */
export const TaskFunction = {
  abortTask: 1,
  abortTaskSet: 2,
  clearAca: 3,
  clearTaskSet: 4,
  lunReset: 5,
  warmReset: 6,
  coldReset: 7,
  reassign: 8,
} as const;

/** Answers to them. Source: RFC 7143, 11.6.1. */
export const TaskResponse = {
  complete: 0,
  noSuchTask: 1,
  noSuchLun: 2,
  reassignNotSupported: 4,
  notSupported: 5,
  rejected: 255,
} as const;

/** Why an initiator logs out. Source: RFC 7143, 11.14.1. */
export const LogoutReason = { session: 0, connection: 1, recovery: 2 } as const;

/** Answers to a logout. Source: RFC 7143, 11.15.1. */
export const LogoutResponse = { closed: 0, noSuchConnection: 1, recoveryNotSupported: 2 } as const;

/** Events of an Asynchronous Message. Source: RFC 7143, 11.9.1. */
export const AsyncEvent = {
  scsi: 0,
  logoutRequest: 1,
  dropConnection: 2,
  dropSession: 3,
  negotiation: 4,
} as const;
