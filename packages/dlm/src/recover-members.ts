import type { Lockspace, Member, RecoverRun } from './lockspace.js';
import type { Slot } from './rcom.js';
import { forgetRequestsOf } from './requestqueue.js';

/**
 * Takes the members of a start over. Gives the number of nodes that are gone, also by an earlier start whose recovery
 * was cut short.
 *
 * Source: Linux fs/dlm/member.c, `dlm_recover_members`.
 */
export function recoverMembers(ls: Lockspace, run: RecoverRun): number {
  for (const member of ls.membersGone) ls.log('info', `prev removed member ${member.nodeid}`);
  for (const member of [...ls.members]) {
    const still = run.members.find(({ nodeid }) => nodeid === member.nodeid);
    if (still === undefined || (still.isNew && member.nodeid !== ls.nodeid)) removeMember(ls, run, member);
  }
  const added: number[] = [];
  for (const { nodeid, weight } of run.members) {
    if (ls.isMember(nodeid)) continue;
    const incarnation = nodeid === ls.nodeid ? 0 : ls.host.midcomms.addMember(nodeid);
    ls.members.push({ nodeid, weight, incarnation, slot: 0, generation: 0 });
    added.push(nodeid);
    ls.log('info', `add member ${nodeid}`);
  }
  for (const { nodeid } of ls.members) ls.host.midcomms.resend(nodeid);
  ls.members.sort((a, b) => a.nodeid - b.nodeid);
  ls.lowNodeid = ls.members[0]?.nodeid ?? 0;
  ls.nodeArray = nodeArrayOf(ls.members);
  const { host, name: lockspace } = ls;
  const members = ls.members.map((member) => member.nodeid);
  host.observe?.({
    kind: 'dlm.started',
    now: host.now,
    lockspace,
    recoverSeq: run.seq,
    members,
    added,
    nodeArray: ls.nodeArray,
    isNodir: ls.isNodir,
  });
  return ls.membersGone.length;
}

function removeMember(ls: Lockspace, run: RecoverRun, member: Member): void {
  const { nodeid, slot, incarnation } = member;
  const hasFailed = run.failed === undefined || run.failed.includes(nodeid);
  ls.log('info', `remove member ${nodeid}`);
  ls.members.splice(ls.members.indexOf(member), 1);
  ls.membersGone.push(member);
  forgetRequestsOf(ls, nodeid);
  const isConnectionOld = ls.host.midcomms.connections(nodeid) === ls.connectionsAtStop.get(nodeid);
  if (ls.host.midcomms.removeMember(nodeid, incarnation, hasFailed) && isConnectionOld) {
    ls.host.emit({ kind: 'disconnect', node: nodeid });
  }
  if (hasFailed && ls.isFs) ls.host.emit({ kind: 'recover-slot', lockspace: ls.name, node: nodeid, slot });
}

/** Each node as often as its weight says; with all weights 0 once. */
function nodeArrayOf(members: readonly Member[]): number[] {
  const isWeighted = members.some((member) => member.weight > 0);
  return members.flatMap(({ nodeid, weight }) => Array<number>(isWeighted ? weight : 1).fill(nodeid));
}

/**
 * As lowest node, when all members have told theirs: everybody keeps its slot, newcomers get the lowest free number;
 * the generation is one more than the highest.
 *
 * Source: Linux fs/dlm/member.c, `dlm_slots_assign`.
 */
export function slotsAssign(ls: Lockspace): void {
  const own = ls.members.find((member) => member.nodeid === ls.nodeid);
  if (own !== undefined) {
    own.slot = ls.slot;
    own.generation = ls.generation;
  }
  const taken = new Set<number>();
  for (const member of ls.members) {
    // Two that claim the same slot cannot both keep it.
    if (taken.has(member.slot)) member.slot = 0;
    if (member.slot !== 0) taken.add(member.slot);
  }
  for (const member of ls.members) {
    for (let slot = 1; member.slot === 0; slot++) {
      if (taken.has(slot)) continue;
      member.slot = slot;
      taken.add(slot);
    }
  }
  setGeneration(ls, Math.max(...ls.members.map((member) => member.generation)) + 1);
}

/** As another node: what the lowest one assigned (`dlm_slots_copy_in`). */
export function slotsCopyIn(ls: Lockspace, generation: number, slots: readonly Slot[]): void {
  for (const member of ls.members) {
    member.slot = slots.find(({ nodeid }) => nodeid === member.nodeid)?.slot ?? member.slot;
  }
  setGeneration(ls, generation);
}

function setGeneration(ls: Lockspace, generation: number): void {
  ls.generation = generation;
  ls.slot = ls.members.find((member) => member.nodeid === ls.nodeid)?.slot ?? 0;
  const slots = ls.members.map(({ slot, nodeid }) => ` ${slot}:${nodeid}`).join('');
  ls.log('info', `generation ${generation} slots ${ls.members.length}${slots}`);
}

/** The slots as a STATUS_REPLY tells them. */
export function slotsOf(ls: Lockspace): Slot[] {
  return ls.members.filter((member) => member.slot !== 0).map(({ nodeid, slot }) => ({ nodeid, slot }));
}
