import { SECOND, type Task } from '@quorate/kernel';
import { isClusteredGroup, listVolumes, localNodeName, ownerOf, succeeds, tagsOf } from './lvm-commands.js';
import { type AgentCall, AgentExit } from './resource-agent.js';

/** Time for another node to let go of what it has active. */
const SETTLE_SEC = 5;
const STOP_ATTEMPTS = 10;

/**
 * A volume group as a whole.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/lvm_by_vg.sh.
 */
export function* startGroup(call: AgentCall, group: string): Task<number> {
  const isClustered = yield* isClusteredGroup(call.os, group);
  call.log('info', `Starting volume group, ${group}`);
  return isClustered ? yield* startClustered(call, group) : yield* startTagged(call, group);
}

function* startClustered(call: AgentCall, group: string): Task<number> {
  if (yield* succeeds(call, 'vgchange', '-aey', group)) return yield* requireActive(call, group);
  yield* call.sleepSec(SETTLE_SEC);
  for (const { name, isOpen } of yield* listVolumes(call.os, group)) {
    if (isOpen || (yield* succeeds(call, 'lvchange', '-an', `${group}/${name}`))) continue;
    call.log('err', `Unable to perform required deactivation of ${group} before starting`);
    return AgentExit.GENERIC;
  }
  if (yield* succeeds(call, 'vgchange', '-aey', group)) return yield* requireActive(call, group);
  call.log('err', `Failed to activate volume group, ${group}`);
  return AgentExit.GENERIC;
}

function* startTagged(call: AgentCall, group: string): Task<number> {
  switch (yield* ownerOf(call, group)) {
    case 'another node':
      call.log('info', 'Someone else owns this volume group');
      return AgentExit.GENERIC;
    case 'this node':
      call.log('info', 'I own this volume group');
      break;
    case 'nobody':
    case 'a node that is gone':
      call.log('info', 'I can claim this volume group');
      break;
  }
  if (!(yield* claim(call, group))) return AgentExit.GENERIC;
  if (yield* succeeds(call, 'vgchange', '-ay', group)) return yield* requireActive(call, group);
  call.log('err', `Failed to activate volume group, ${group}`);
  call.log('err', 'Attempting activation of logical volumes one-by-one.');
  for (const { name } of yield* listVolumes(call.os, group)) {
    call.log('err', `Attempting activation of non-redundant LV ${group}/${name}`);
    if (!(yield* succeeds(call, 'lvchange', '-ay', `${group}/${name}`))) {
      call.log('err', `Failed to activate ${group}/${name}`);
      return AgentExit.GENERIC;
    }
    call.log('notice', `Successfully activated non-redundant LV ${group}/${name}`);
  }
  return AgentExit.SUCCESS;
}

/** A command that leaves out what the machine may not have succeeds all the same. */
function* requireActive(call: AgentCall, group: string): Task<number> {
  const volumes = yield* listVolumes(call.os, group);
  if (volumes.every(({ isActive }) => isActive)) return AgentExit.SUCCESS;
  call.log('err', `Failed to activate ${group}`);
  return AgentExit.GENERIC;
}

/** Leaves this node's tag on the group, and no other. */
function* claim(call: AgentCall, group: string): Task<boolean> {
  if (!(yield* stripTags(call, group))) {
    call.log('err', `Failed to remove tags from volume group, ${group}`);
    return false;
  }
  const own = (yield* localNodeName(call.os)) ?? '';
  if (!(yield* succeeds(call, 'vgchange', '--addtag', own, group))) {
    call.log('err', `Failed to add ownership tag to ${group}`);
    return false;
  }
  call.log('info', `New tag "${own}" added to ${group}`);
  return true;
}

function* stripTags(call: AgentCall, group: string): Task<boolean> {
  for (const tag of yield* tagsOf(call.os, group)) {
    call.log('info', `Stripping tag, ${tag}`);
    yield* succeeds(call, 'vgchange', '--deltag', tag, group);
  }
  if ((yield* tagsOf(call.os, group)).length === 0) return true;
  call.log('err', `Failed to remove ownership tags from ${group}`);
  return false;
}

export function* stopGroup(call: AgentCall, group: string): Task<number> {
  const isClustered = yield* isClusteredGroup(call.os, group);
  if (isClustered) yield* deactivateHere(call, group);
  else yield* succeeds(call, 'vgchange', '-an', group);
  const active = (yield* listVolumes(call.os, group)).find(({ isActive }) => isActive);
  if (active !== undefined) return stillActive(call, `${group}/${active.name}`);
  if (!isClustered && (yield* ownerOf(call, group)) === 'this node') yield* stripTags(call, group);
  return AgentExit.SUCCESS;
}

function* deactivateHere(call: AgentCall, group: string): Task {
  for (let attempt = 1; !(yield* succeeds(call, 'vgchange', '-aln', group)); attempt++) {
    if (attempt > STOP_ATTEMPTS) return;
    call.log('err', `Unable to deactivate ${group}, retrying(${attempt})`);
    yield* call.os.sleep(SECOND);
  }
}

function stillActive(call: AgentCall, volume: string): number {
  if (fencesItself(call)) {
    call.log('err', `Unable to deactivate ${volume} REBOOT`);
    call.os.halt('reboot');
  } else {
    call.log('err', `Logical volume ${volume} failed to shutdown`);
  }
  return AgentExit.GENERIC;
}

/** `self_fence` is on with `yes` or `1` only. */
export function fencesItself(call: AgentCall): boolean {
  return ['yes', '1'].includes(call.parameter('self_fence'));
}

/** Of a clustered group nothing is looked at, as in the original. */
export function* statusOfGroup(call: AgentCall, group: string): Task<number> {
  if (yield* isClusteredGroup(call.os, group)) return AgentExit.SUCCESS;
  const volumes = yield* listVolumes(call.os, group);
  if (volumes.some(({ isActive }) => !isActive)) return AgentExit.NOT_RUNNING;
  if ((yield* ownerOf(call, group)) === 'this node') return AgentExit.SUCCESS;
  call.log('err', `WARNING: ${group} should not be active`);
  call.log('err', `WARNING: ${yield* localNodeName(call.os)} does not own ${group}`);
  call.log('err', `WARNING: Attempting shutdown of ${group}`);
  yield* succeeds(call, 'vgchange', '-an', group);
  return AgentExit.GENERIC;
}
