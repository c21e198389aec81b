/** Lock modes of the DLM that glocks use. Source: Linux include/uapi/linux/dlmconstants.h. */
export const DlmMode = { NL: 0, CW: 2, PR: 3, EX: 5 } as const;

/** Flags of lock and unlock calls. Source: Linux include/uapi/linux/dlmconstants.h, `DLM_LKF_*`. */
export const DlmFlag = {
  NOQUEUE: 0x1,
  CANCEL: 0x2,
  CONVERT: 0x4,
  VALBLK: 0x8,
  QUECVT: 0x10,
  NOQUEUEBAST: 0x800,
  ALTPR: 0x8000,
  ALTCW: 0x10000,
} as const;

/** Flags that come with a completion: `DLM_SBF_*`. */
export const DlmStatusFlag = { DEMOTED: 1, VALNOTVALID: 2, ALTMODE: 4 } as const;

/** Completion statuses, as positive numbers: EAGAIN, EDEADLK, ETIMEDOUT, DLM_ECANCEL, DLM_EUNLOCK. */
export const DlmStatus = {
  granted: 0,
  again: 11,
  deadlock: 35,
  timedOut: 110,
  canceled: 65537,
  unlocked: 65538,
} as const;
