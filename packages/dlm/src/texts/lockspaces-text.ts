import { SECOND } from '@quorate/kernel';
import type { ChangeView, ControlledLockspaceView, ControlledNodeView, WaitState } from '../controld-view.js';

/** Whose `dlm_tool`: that of RHEL 6's cluster, or that of dlm 4. */
type DlmToolVersion = 'rhel6' | 'modern';

/**
 * What `dlm_tool ls` prints of all lockspaces, with `-n` the nodes that each remembers.
 *
 * Source: cluster.git dlm/tool/main.c, `do_list`; group/dlm_controld/cpg.c, `set_lockspace_info`; dlm dlm_tool/main.c, `show_ls`.
 */
export function lockspacesText(
  lockspaces: readonly ControlledLockspaceView[],
  withNodes: boolean,
  version: DlmToolVersion = 'rhel6',
): string {
  if (lockspaces.length === 0) return '';
  const blocks = lockspaces.map((lockspace) => {
    const nodes = withNodes ? ['all nodes', ...nodeLines(lockspace.nodes, version)] : [];
    const lines = [...lockspaceLines(lockspace, version), ...nodes];
    return `${lines.join('\n')}\n\n`;
  });
  return `dlm lockspaces\n${blocks.join('')}`;
}

function lockspaceLines(lockspace: ControlledLockspaceView, version: DlmToolVersion): string[] {
  const { name, globalId, change, newChange, nodes } = lockspace;
  const flags = flagsOf(lockspace);
  const value = flags.reduce((sum, [bit]) => sum | bit, 0);
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
          `new status    ${version === 'rhel6' ? statusText(newChange.wait) : newStatusText(newChange, nodes)}`,
          `new members   ${idsText(newChange.members)}`,
        ]),
  ];
}

/** In the order in which they are named. */
function flagsOf({
  kernel,
  isFsRegistered,
  isJoining,
  isLeaving,
  needsPlocks,
  savesPlocks,
  newChange,
}: ControlledLockspaceView): [number, string][] {
  const all: [boolean, number, string][] = [
    [savesPlocks, 0x20, 'save_plock'],
    [needsPlocks, 0x10, 'need_plock'],
    [isFsRegistered, 0x08, 'fs_reg'],
    [kernel !== 'running' && newChange !== undefined, 0x04, 'kern_stop'],
    [isLeaving, 0x02, 'leave'],
    [isJoining, 0x01, 'join'],
  ];
  return all.filter(([isSet]) => isSet).map(([, bit, word]) => [bit, word]);
}

function changeText(change: ChangeView | undefined): string {
  const { members = [], joinedCount = 0, removeCount = 0, failedCount = 0, combinedSeq = 0, seq = 0 } = change ?? {};
  const counts = `member ${members.length} joined ${joinedCount} remove ${removeCount} failed ${failedCount}`;
  return `${counts} seq ${combinedSeq},${seq}`;
}

/** `wait_condition`: 1 fencing, 2 quorum, 3 file system, 4 anything else but messages. */
const CONDITIONS: readonly (WaitState | undefined)[] = ['messages', 'fencing', 'quorum', 'fs'];
const CONDITION_TEXTS = ['', 'fencing', 'quorum', 'fs', 'pending'];

function statusText(wait: WaitState | undefined): string {
  const found = CONDITIONS.indexOf(wait);
  const condition = found < 0 ? 4 : found;
  return `wait_messages ${wait === 'messages' ? 1 : 0} wait_condition ${condition} ${CONDITION_TEXTS[condition]}`;
}

/** How many STARTs are missing, or the condition that is. */
function newStatusText(
  { wait, members }: NonNullable<ControlledLockspaceView['newChange']>,
  nodes: readonly ControlledNodeView[],
): string {
  if (wait !== 'messages')
    return `wait ${wait === 'fs' ? 'fsdone' : wait === undefined || wait === 'stopped' ? 'ringid' : wait}`;
  const started = nodes.filter(({ nodeid, hasStarted }) => hasStarted && members.includes(nodeid));
  return `wait messages ${members.length - started.length}`;
}

/** Why a node failed, by CPG's numbers. */
const REASONS = { leave: 2, nodedown: 3, procdown: 5 } as const;

function nodeLines(nodes: readonly ControlledNodeView[], version: DlmToolVersion): string[] {
  return [...nodes]
    .sort((a, b) => a.nodeid - b.nodeid)
    .map((node) => {
      const { nodeid, membership, failedReason, hasStarted, addedSeq, removedSeq, needsFencing, needsFs } = node;
      const failed = failedReason === undefined ? 0 : REASONS[failedReason];
      const fence = version === 'rhel6' ? 'fence' : `fence ${Math.floor(node.failTime / SECOND)}`;
      const check = needsFencing ? fence : needsFs ? 'fs' : 'none';
      const seqs = `seq_add ${addedSeq} seq_rem ${removedSeq}`;
      return `nodeid ${nodeid} member ${membership} failed ${failed} start ${+hasStarted} ${seqs} check ${check}`;
    });
}

function idsText(nodes: readonly number[]): string {
  return nodes.map((node) => `${node} `).join('');
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}
