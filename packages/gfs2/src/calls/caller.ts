/** Who makes a call (`struct cred`). */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  /** Further groups. */
  readonly groups?: readonly number[];
  /** Permissions that what it makes does not get; default none. */
  readonly umask?: number;
}

/** May do everything. */
export const ROOT: Caller = { uid: 0, gid: 0 };

export function isRoot({ uid }: Caller): boolean {
  return uid === 0;
}

export function isInGroup({ gid, groups }: Caller, group: number): boolean {
  return gid === group || groups?.includes(group) === true;
}
