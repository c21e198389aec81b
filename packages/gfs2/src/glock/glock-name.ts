/**
 * Kinds of glocks, by their number in a lock's name.
 *
 * Source: Linux fs/gfs2/glock.h, `LM_TYPE_*`.
 */
export const GlockType = {
  nondisk: 1,
  inode: 2,
  rgrp: 3,
  meta: 4,
  iopen: 5,
  flock: 6,
  plock: 7,
  quota: 8,
  journal: 9,
} as const;

export type GlockType = (typeof GlockType)[keyof typeof GlockType];

/** Numbers of the nondisk glocks. Source: Linux fs/gfs2/incore.h and super.c, `GFS2_MOUNT_LOCK` and following. */
export const NondiskLock = { mount: 0, live: 1, freeze: 2, rename: 3 } as const;

const NAMES = ['', 'nondisk', 'inode', 'rgrp', 'meta', 'iopen', 'flock', 'plock', 'quota', 'journal'];

/** What people call a type: `inode`. */
export function glockTypeName(type: number): string {
  return NAMES[type] ?? `type${type}`;
}

/**
 * Name of a glock's DLM resource: 24 characters, type and number in hex, blanks in front.
 *
 * Source: Linux fs/gfs2/lock_dlm.c, `gdlm_lock`, which prints `%8x%16llx`.
 */
export function glockName(type: number, number: number): string {
  return type.toString(16).padStart(8) + number.toString(16).padStart(16);
}

/** Type and number in such a name; undefined for a name that is no glock's. */
export function parseGlockName(name: string): { readonly type: number; readonly number: number } | undefined {
  const match = /^ *([0-9a-f]{1,8}) *([0-9a-f]{1,16})$/.exec(name);
  if (match === null) return undefined;
  const type = Number.parseInt(name.slice(0, 8), 16);
  const number = Number.parseInt(name.slice(8), 16);
  return glockName(type, number) === name ? { type, number } : undefined;
}
