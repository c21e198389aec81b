/** Class (high byte) and detail of a Login Response. Source: RFC 7143, 11.13.5. */
export const LoginStatus = {
  success: 0x0000,
  initiatorError: 0x0200,
  authenticationFailure: 0x0201,
  notAuthorized: 0x0202,
  notFound: 0x0203,
  unsupportedVersion: 0x0205,
  tooManyConnections: 0x0206,
  missingParameter: 0x0207,
  cannotIncludeInSession: 0x0208,
  sessionTypeNotSupported: 0x0209,
  noSuchSession: 0x020a,
  invalidDuringLogin: 0x020b,
  outOfResources: 0x0302,
  serviceUnavailable: 0x0301,
} as const;

export type LoginStatus = (typeof LoginStatus)[keyof typeof LoginStatus];
