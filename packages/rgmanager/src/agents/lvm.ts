import type { Program, Task } from '@quorate/kernel';
import { localNodeName } from './lvm-commands.js';
import { startGroup, statusOfGroup, stopGroup } from './lvm-group.js';
import { startVolume, statusOfVolume, stopVolume } from './lvm-volume.js';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

/**
 * lvm.sh: a volume group, or one volume of it, that is active on one node at a time.
 *
 * A clustered group is activated exclusively, which clvmd's locks guard. Any other is guarded by a tag with the name of the node that
 * has it: `volume_list` in lvm.conf lets a machine activate only what bears its own tag. The tag of a node that is no member of the
 * cluster may be taken over, so only after it has been fenced.
 *
 * Absent: repair of mirrors and RAID, and of groups with missing physical volumes, which are refused; the age of the initrd.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/lvm.sh.
 */
export const lvm: Program = resourceAgent('lvm', { start, stop, status, validate });

function* start(call: AgentCall): Task<number> {
  if (!(yield* isProperlySetUp(call))) return AgentExit.GENERIC;
  const { group, volume } = placeOf(call);
  return volume === '' ? yield* startGroup(call, group) : yield* startVolume(call, group, volume);
}

function* stop(call: AgentCall): Task<number> {
  yield* isProperlySetUp(call);
  const { group, volume } = placeOf(call);
  return volume === '' ? yield* stopGroup(call, group) : yield* stopVolume(call, group, volume);
}

function* status(call: AgentCall): Task<number> {
  call.log('notice', 'Getting status');
  const { group, volume } = placeOf(call);
  return volume === '' ? yield* statusOfGroup(call, group) : yield* statusOfVolume(call, group, volume);
}

function* validate(): Task<number> {
  return AgentExit.SUCCESS;
}

function placeOf(call: AgentCall): { readonly group: string; readonly volume: string } {
  return { group: call.parameter('vg_name'), volume: call.parameter('lv_name') };
}

/** `ha_lvm_proper_setup_check`: nothing but tag or clvmd keeps two nodes from one group, so they have to be in order. */
function* isProperlySetUp(call: AgentCall): Task<boolean> {
  const { os } = call;
  const { group } = placeOf(call);
  const asked = yield* os.run(['vgs', '-o', 'attr', '--noheadings', '--config', 'global{locking_type=0}', group]);
  if (asked.status !== 0) {
    call.log('err', `HA LVM: Unable to get volume group attributes for ${group}`);
    return false;
  }
  if (asked.output.trim()[5] === 'c') {
    const hasClvmd = os.processes().some(({ argv: [name = ''] }) => name === 'clvmd' || name.endsWith('/clvmd'));
    if (!hasClvmd) {
      call.log('err', `HA LVM: ${group} has the cluster attribute set, but 'clvmd' is not running`);
    }
    return hasClvmd;
  }
  return yield* isVolumeListRight(call, group);
}

function* isVolumeListRight(call: AgentCall, group: string): Task<boolean> {
  const { status, output } = yield* call.os.run(['lvm', 'dumpconfig', 'activation/volume_list']);
  const own = (yield* localNodeName(call.os)) ?? '';
  const wrong =
    status !== 0
      ? '* "volume_list" not specified in lvm.conf.'
      : !output.includes(own) || own === ''
        ? `* @${own} missing from "volume_list" in lvm.conf`
        : output.includes(`"${group}"`)
          ? `* ${group} found in "volume_list" in lvm.conf`
          : undefined;
  if (wrong === undefined) return true;
  call.log('err', 'HA LVM:  Improper setup detected');
  call.log('err', wrong);
  return false;
}
