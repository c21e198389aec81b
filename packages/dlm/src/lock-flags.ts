/**
 * Flags of lock and unlock calls (`DLM_LKF_*`).
 *
 * Source: Linux include/uapi/linux/dlmconstants.h.
 */
export const LockFlag = {
  /** Do not queue: complete with EAGAIN if it cannot be granted now. */
  NOQUEUE: 0x1,
  /** Of unlock: cancel the pending request or conversion. */
  CANCEL: 0x2,
  /** The call converts the lock of that handle. */
  CONVERT: 0x4,
  /** Transfer the value block. */
  VALBLK: 0x8,
  /** Convert in place only if no other conversion waits. */
  QUECVT: 0x10,
  /** Where the value block would be written: invalidate it instead. */
  IVVALBLK: 0x20,
  /** Resolve a conversion deadlock by demoting this lock to NL. */
  CONVDEADLK: 0x40,
  /** The lock outlives its process, as an orphan. */
  PERSISTENT: 0x80,
  /** Never fail for a conversion deadlock: queue, and hear a blocking AST for one's own request. */
  NODLCKWT: 0x100,
  NODLCKBLK: 0x200,
  /** Grant a new NL request whatever is queued. */
  EXPEDITE: 0x400,
  /** With NOQUEUE: send blocking ASTs before failing. */
  NOQUEUEBAST: 0x800,
  /** Insert at the head of the queue. */
  HEADQUE: 0x1000,
  /** Grant as soon as compatible, wherever it stands in the queue. */
  NOORDER: 0x2000,
  /** Take over an orphan of that name and mode: EAGAIN if all have other modes, ENOENT if there is none. */
  ORPHAN: 0x4000,
  /** If the mode cannot be granted now, try PR. */
  ALTPR: 0x8000,
  /** If the mode cannot be granted now, try CW. */
  ALTCW: 0x10000,
  /** Of unlock: whatever queue it is on and whatever is in flight. */
  FORCEUNLOCK: 0x20000,
  /** Complete with ETIMEDOUT if it stands in a queue too long. */
  TIMEOUT: 0x40000,
} as const;

/** Flags of a completion (`DLM_SBF_*`). */
export const StatusFlag = {
  /** Its mode was NL for a while (CONVDEADLK). */
  DEMOTED: 1,
  /** The value block's content is not to be relied on. */
  VALNOTVALID: 2,
  /** The alternate mode was granted (ALTPR, ALTCW). */
  ALTMODE: 4,
} as const;

/**
 * Statuses of a completion as libdlm gives them: 0 or a positive error number.
 *
 * Source: Linux include/uapi/linux/dlm.h and the numbers of errno on x86.
 */
export const Status = {
  granted: 0,
  /** NOQUEUE, and it would have had to queue. */
  EAGAIN: 11,
  /** The conversion would deadlock; the lock keeps its mode. */
  EDEADLK: 35,
  ETIMEDOUT: 110,
  /** The request is gone, or the conversion taken back. */
  ECANCEL: 0x10001,
  EUNLOCK: 0x10002,
} as const;

/** Further results that travel between nodes, as negative numbers. */
export const Result = {
  ENOENT: 2,
  ESRCH: 3,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  EBADR: 53,
  EPROTO: 71,
  EOPNOTSUPP: 95,
  EINPROGRESS: 115,
} as const;
