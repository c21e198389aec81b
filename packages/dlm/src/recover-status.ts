/** Barrier bits: a step is done here, or everywhere (`DLM_RS_*`). Source: Linux fs/dlm/dlm_internal.h. */
export const RecoverStatus = {
  NODES: 0x1,
  NODES_ALL: 0x2,
  DIR: 0x4,
  DIR_ALL: 0x8,
  LOCKS: 0x10,
  LOCKS_ALL: 0x20,
  DONE: 0x40,
  DONE_ALL: 0x80,
} as const;
