import type { Task } from '@quorate/kernel';
import { isClusteredGroup, listVolumes, localNodeName, ownerOf, succeeds, tagsOf } from './lvm-commands.js';
import { fencesItself } from './lvm-group.js';
import { type AgentCall, AgentExit } from './resource-agent.js';

/** Time for another node to let go of the volume. */
const SETTLE_SEC = 5;

/**
 * One logical volume of a group. Where a tag guards it, it must be the only one: the metadata is the group's.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/lvm_by_lv.sh.
 */
export function* startVolume(call: AgentCall, group: string, volume: string): Task<number> {
  const path = `${group}/${volume}`;
  if (yield* isClusteredGroup(call.os, group)) return yield* startClustered(call, path);
  const count = (yield* listVolumes(call.os, group)).length;
  if (count > 1) {
    call.log('err', 'HA LVM requires Only one logical volume per volume group.');
    call.log('err', `There are currently ${count} logical volumes in ${group}`);
    call.log('err', `Failing HA LVM start of ${path}`);
    return AgentExit.GENERIC;
  }
  return yield* startTagged(call, path);
}

function* startClustered(call: AgentCall, path: string): Task<number> {
  if (yield* succeeds(call, 'lvchange', '-aey', path)) return AgentExit.SUCCESS;
  const [listed] = yield* listVolumes(call.os, path);
  if (listed?.isOpen !== true) {
    yield* call.sleepSec(SETTLE_SEC);
    yield* succeeds(call, 'lvchange', '-an', path);
    if (yield* succeeds(call, 'lvchange', '-aey', path)) return AgentExit.SUCCESS;
  }
  call.log('err', `Failed to activate logical volume, ${path}`);
  return AgentExit.GENERIC;
}

function* startTagged(call: AgentCall, path: string): Task<number> {
  const owner = yield* ownerOf(call, path);
  if (owner === 'another node') {
    call.log('info', 'Someone else owns this logical volume');
    return AgentExit.GENERIC;
  }
  if (owner === 'a node that is gone' && !(yield* steal(call, path))) return AgentExit.GENERIC;
  const own = (yield* localNodeName(call.os)) ?? '';
  call.log('notice', `Activating ${path}`);
  if (!(yield* succeeds(call, 'lvchange', '--addtag', own, path))) {
    call.log('err', `Unable to add tag to ${path}`);
    return AgentExit.GENERIC;
  }
  const isActive = (yield* succeeds(call, 'lvchange', '-ay', path)) && (yield* listVolumes(call.os, path))[0]?.isActive;
  if (isActive === true) return AgentExit.SUCCESS;
  call.log('err', `Unable to activate ${path}`);
  call.log('err', `Failed to start ${path}`);
  return AgentExit.GENERIC;
}

function* steal(call: AgentCall, path: string): Task<boolean> {
  call.log('notice', `Owner of ${path} is not in the cluster`);
  call.log('notice', `Stealing ${path}`);
  const owners = yield* tagsOf(call.os, path);
  for (const tag of owners) yield* succeeds(call, 'lvchange', '--deltag', tag, path);
  if ((yield* tagsOf(call.os, path)).length === 0) return true;
  call.log('err', `Failed to steal ${path} from ${owners.join(',')}.`);
  return false;
}

export function* stopVolume(call: AgentCall, group: string, volume: string): Task<number> {
  const path = `${group}/${volume}`;
  if (yield* isClusteredGroup(call.os, group)) {
    return (yield* succeeds(call, 'lvchange', '-aln', path)) ? AgentExit.SUCCESS : AgentExit.GENERIC;
  }
  const owner = yield* ownerOf(call, path);
  if (owner === 'another node') {
    call.log('info', 'Someone else owns this logical volume');
    return AgentExit.GENERIC;
  }
  call.log('notice', `Deactivating ${path}`);
  if (!(yield* succeeds(call, 'lvchange', '-an', path))) {
    call.log('err', `Unable to deactivate ${path}${fencesItself(call) ? ': REBOOTING' : ''}`);
    if (fencesItself(call)) call.os.halt('reboot');
    return AgentExit.GENERIC;
  }
  if (owner !== 'this node') return AgentExit.SUCCESS;
  const own = (yield* localNodeName(call.os)) ?? '';
  call.log('notice', `Removing ownership tag (${own}) from ${path}`);
  if (yield* succeeds(call, 'lvchange', '--deltag', own, path)) return AgentExit.SUCCESS;
  call.log('err', `Failed to delete tag from ${path}`);
  if (fencesItself(call)) call.os.halt('reboot');
  return AgentExit.GENERIC;
}

export function* statusOfVolume(call: AgentCall, group: string, volume: string): Task<number> {
  const path = `${group}/${volume}`;
  const [listed] = yield* listVolumes(call.os, path);
  if (listed?.isActive !== true) return AgentExit.NOT_RUNNING;
  if (yield* isClusteredGroup(call.os, group)) return AgentExit.SUCCESS;
  if ((yield* ownerOf(call, path)) === 'this node') return AgentExit.SUCCESS;
  call.log('err', `WARNING: ${path} should not be active`);
  call.log('err', `WARNING: ${yield* localNodeName(call.os)} does not own ${path}`);
  call.log('err', `WARNING: Attempting shutdown of ${path}`);
  yield* succeeds(call, 'lvchange', '-an', path);
  return AgentExit.GENERIC;
}
