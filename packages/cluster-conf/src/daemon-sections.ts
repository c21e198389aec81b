import type { ElementReader } from './element-reader.js';
import type { NodeIds } from './nodes-section.js';

/** `<fence_daemon>`. Source: fenced(8). */
export interface FenceDaemonSection {
  /** Seconds before victims are fenced after a node joined; -1 waits for ever. */
  readonly postJoinDelaySec: number;
  /** Seconds before victims are fenced after a node failed; -1 waits for ever. */
  readonly postFailDelaySec: number;
  /** `clean_start`: nobody is fenced when the domain starts. */
  readonly isCleanStart: boolean;
  readonly overridePath: string;
  readonly overrideTimeSec: number;
  /** `skip_undefined`: nodes without a method are not fenced when the domain starts. */
  readonly isUndefinedSkipped: boolean;
  readonly fenceCheckDelaySec: number;
}

export function readFenceDaemon(at: ElementReader): FenceDaemonSection {
  const section: FenceDaemonSection = {
    postJoinDelaySec: at.integer('post_join_delay', 6, -1),
    postFailDelaySec: at.integer('post_fail_delay', 0, -1),
    isCleanStart: at.flag('clean_start', false),
    overridePath: at.text('override_path', '/var/run/cluster/fenced_override'),
    overrideTimeSec: at.integer('override_time', 3, 0),
    isUndefinedSkipped: at.flag('skip_undefined', false),
    fenceCheckDelaySec: at.integer('fence_check_delay', 5, 0),
  };
  at.finish();
  return section;
}

/** `<fence_xvmd>`, the host side of fence_xvm; nothing here interprets it. */
export interface FenceXvmdSection {
  readonly attributes: ReadonlyMap<string, string>;
}

const FENCE_XVMD_TEXTS = ['use_uuid', 'multicast_address', 'auth', 'hash', 'uri', 'key_file', 'multicast_interface'];

export function readFenceXvmd(at: ElementReader): FenceXvmdSection {
  at.optionalInteger('debug');
  at.optionalInteger('port', 0, 65_535);
  for (const name of FENCE_XVMD_TEXTS) at.optional(name);
  at.finish();
  return { attributes: at.element.attributes };
}

/** Posix locks, as dlm_controld and gfs_controld both configure them. */
export interface PlockSection {
  readonly isPlockEnabled: boolean;
  readonly isPlockDebug: boolean;
  /** Operations per second; 0: unlimited. */
  readonly plockRateLimit: number;
  readonly isPlockOwnership: boolean;
  readonly dropResourcesTimeMs: number;
  readonly dropResourcesCount: number;
  readonly dropResourcesAgeMs: number;
}

function readPlocks(at: ElementReader): PlockSection {
  return {
    isPlockEnabled: at.flag('enable_plock', true),
    isPlockDebug: at.flag('plock_debug', false),
    plockRateLimit: at.integer('plock_rate_limit', 0, 0),
    isPlockOwnership: at.flag('plock_ownership', true),
    dropResourcesTimeMs: at.integer('drop_resources_time', 10_000, 0),
    dropResourcesCount: at.integer('drop_resources_count', 10, 0),
    dropResourcesAgeMs: at.integer('drop_resources_age', 10_000, 0),
  };
}

export interface LockspaceSection {
  readonly name: string;
  /** `nodir`: resources are mastered by hash, without a directory. */
  readonly isNodir: boolean;
  readonly masters: readonly { readonly name: string; readonly weight: number }[];
}

/** `<dlm>`. Source: dlm_controld(8). */
export interface DlmSection extends PlockSection {
  readonly isLogDebug: boolean;
  readonly timewarnCentiseconds: number | undefined;
  /** Undefined: the kernel's default. */
  readonly protocol: 'tcp' | 'sctp' | 'detect' | undefined;
  /** `enable_fencing`: recovery waits until a failed node is fenced. */
  readonly isFencingEnabled: boolean;
  /** `enable_quorum`: recovery waits for quorum by itself. */
  readonly isQuorumEnabled: boolean;
  readonly isDeadlockEnabled: boolean;
  readonly lockspaces: readonly LockspaceSection[];
}

export function readDlm(at: ElementReader, nodeIds: NodeIds): DlmSection {
  const section: DlmSection = {
    isLogDebug: at.flag('log_debug', false),
    timewarnCentiseconds: at.optionalInteger('timewarn', 0),
    protocol: at.oneOf('protocol', ['tcp', 'sctp', 'detect'] as const),
    isFencingEnabled: at.flag('enable_fencing', true),
    isQuorumEnabled: at.flag('enable_quorum', false),
    isDeadlockEnabled: at.flag('enable_deadlk', false),
    ...readPlocks(at),
    lockspaces: at.children('lockspace').map((lockspace) => readLockspace(lockspace, nodeIds)),
  };
  at.finish();
  return section;
}

function readLockspace(at: ElementReader, nodeIds: NodeIds): LockspaceSection {
  const section = {
    name: at.required('name', 'the name of a lockspace'),
    isNodir: at.flag('nodir', false),
    masters: at.children('master').map((master) => readMaster(master, nodeIds)),
  };
  at.finish();
  return section;
}

function readMaster(at: ElementReader, nodeIds: NodeIds): { readonly name: string; readonly weight: number } {
  const name = at.required('name', 'the name of a clusternode');
  if (name !== '' && !nodeIds.has(name))
    at.warn('name', 'the name of a clusternode; dlm_controld passes over this one');
  const master = { name, weight: at.integer('weight', 1, 0) };
  at.finish();
  return master;
}

/** `<gfs_controld>`. Source: gfs_controld(8). */
export interface GfsControldSection extends PlockSection {
  /** `enable_withdraw`: a file system that finds itself damaged withdraws instead of stopping the machine. */
  readonly isWithdrawEnabled: boolean;
}

export function readGfsControld(at: ElementReader): GfsControldSection {
  const section: GfsControldSection = { isWithdrawEnabled: at.flag('enable_withdraw', true), ...readPlocks(at) };
  at.finish();
  return section;
}

/** `<group>`. Source: groupd(8). */
export interface GroupSection {
  readonly groupdCompat: number;
}

export function readGroup(at: ElementReader): GroupSection {
  const section = { groupdCompat: at.integer('groupd_compat', 0, 0) };
  at.finish();
  return section;
}

/** `<uidgid>`: an unprivileged user or group that may use corosync. */
export interface UidGidSection {
  readonly uid: string | undefined;
  readonly gid: string | undefined;
}

export function readUidGid(at: ElementReader): UidGidSection {
  const section = { uid: at.optional('uid'), gid: at.optional('gid') };
  at.finish();
  return section;
}

/** `<clvmd>`. */
export interface ClvmdSection {
  readonly interface: string | undefined;
}

export function readClvmd(at: ElementReader): ClvmdSection {
  const section = { interface: at.optional('interface') };
  at.finish();
  return section;
}
