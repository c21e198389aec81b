import type { MountgroupView } from './gfs-controld.js';
import type { ChangeCounts } from './mountgroup.js';

/**
 * What `gfs_control ls` prints of all mount groups, with `-n` the nodes that each remembers.
 *
 * Source: gfs2-utils group/gfs_control/main.c, `do_list`. The last line of a change lacks two spaces there, too.
 */
export function mountgroupsText(groups: readonly MountgroupView[], withNodes: boolean): string {
  if (groups.length === 0) return '';
  const blocks = groups.map((group) => {
    const lines = [...groupLines(group), ...(withNodes ? ['all nodes', ...nodeLines(group)] : [])];
    return `${lines.join('\n')}\n\n`;
  });
  return `gfs mountgroups\n${blocks.join('')}`;
}

function groupLines(group: MountgroupView): string[] {
  const { name, globalId, change, newChange } = group;
  const flags = flagsOf(group);
  // That somebody has replayed all journals has a bit (`FIRST_RECOVERY_MSG`) and no word.
  const value = flags.reduce((sum, [bit]) => sum | bit, group.needsFirst ? 0 : 0x40);
  return [
    `name          ${name}`,
    `id            0x${hex8(globalId)}`,
    `flags         0x${hex8(value)} ${flags.map(([, word]) => word).join(',')}`,
    `change        ${changeText(change)}`,
    `members       ${idsText(change?.members ?? [])}`,
    ...(newChange === undefined
      ? []
      : [
          `new change    ${changeText(newChange)}`,
          `new status    wait_messages ${+newChange.isStartSent} wait_condition ${newChange.isStartSent ? '0 ' : '4 pending'}`,
          `new members ${idsText(newChange.members)}`,
        ]),
  ];
}

/** In the order in which they are named. */
function flagsOf(group: MountgroupView): [number, string][] {
  const { mount, isStarted } = group;
  const all: [boolean, number, string][] = [
    [group.isRecovering, 0x80, 'recover'],
    [group.needsFirst, 0x20, 'need_first'],
    [mount === 'mounted' || mount === 'withdrawn', 0x08, 'mounted'],
    [group.isBlocked, 0x04, 'blocked'],
    [group.isLeaving, 0x02, 'leave'],
    [!isStarted, 0x01, 'join'],
  ];
  return all.filter(([isSet]) => isSet).map(([, bit, word]) => [bit, word]);
}

function changeText(change: ChangeCounts | undefined): string {
  const { members = [], joinedCount = 0, removeCount = 0, failedCount = 0, combinedSeq = 0, seq = 0 } = change ?? {};
  const counts = `member ${members.length} joined ${joinedCount} remove ${removeCount} failed ${failedCount}`;
  return `${counts} seq ${combinedSeq},${seq}`;
}

function nodeLines({ nodes, journals, change, newChange }: MountgroupView): string[] {
  const members = (newChange ?? change)?.members ?? [];
  return [...nodes]
    .sort((a, b) => a.nodeId - b.nodeId)
    .map(({ nodeId, addedSeq, removedSeq, hasFailed, hasStarted }) => {
      const journal = journals.find(({ node }) => node === nodeId);
      const isMember = members.includes(nodeId);
      // 3 is CPG's number for a node that went down; a daemon that died alone is not told apart.
      const states = `member ${+isMember} failed ${hasFailed ? 3 : 0} start ${+hasStarted}`;
      const mount = isMember && journal?.isInUse === true ? 'done' : 'none';
      const seqs = `seq_add ${addedSeq} seq_rem ${removedSeq}`;
      return `nodeid ${nodeId} jid ${journal?.jid ?? -1} ${states} ${seqs} mount ${mount}`;
    });
}

function idsText(nodes: readonly number[]): string {
  return nodes.map((node) => `${node} `).join('');
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}
