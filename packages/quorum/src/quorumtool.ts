import { formatCtime } from '@quorate/kernel';
import type { NodeId } from './cluster-node.js';

/** What corosync's quorum service says of itself, whoever reckons the votes. */
export interface QuorumServiceView {
  /** `quorum_cman`, `corosync_votequorum`. */
  readonly provider: string;
  readonly isQuorate: boolean;
  readonly ring: { readonly representative: NodeId; readonly seq: number };
  /** Of the ring, in its order. */
  readonly members: readonly QuorumMember[];
}

export interface QuorumMember {
  readonly nodeId: NodeId;
  /** What the resolver or corosync's node list calls it; its address when a tool is to show that. */
  readonly name: string;
}

/**
 * What corosync 1.4's `corosync-quorumtool -s` prints under cman.
 *
 * Source: corosync 1.4.7, tools/corosync-quorumtool.c, `show_status`.
 */
export function formatQuorumStatus(view: QuorumServiceView, version: string): string {
  return [
    `Version:          ${version}`,
    `Nodes:            ${view.members.length}`,
    `Ring ID:          ${view.ring.seq}`,
    `Quorum type:      ${view.provider}`,
    `Quorate:          ${yesOrNo(view.isQuorate)}`,
    '',
  ].join('\n');
}

/**
 * What corosync 1.4's `corosync-quorumtool -l` prints under cman; with `isHex` (`-h`) ids are hexadecimal.
 *
 * Source: corosync 1.4.7, tools/corosync-quorumtool.c, `show_nodes`.
 */
export function formatQuorumNodes(members: readonly QuorumMember[], isHex: boolean): string {
  const idOf = (nodeId: NodeId): string =>
    isHex ? `0x${nodeId.toString(16).padStart(4, '0')}` : String(nodeId).padStart(4);
  const rows = members.map(({ nodeId, name }) => `${idOf(nodeId)}   ${name}\n`);
  return `Nodeid     Name\n${rows.join('')}`;
}

/** The quorum device as votequorum knows it on one node. */
export interface VotequorumDevice {
  readonly isAlive: boolean;
  /** Its votes count on that node. */
  readonly isVoting: boolean;
  readonly isMasterWins: boolean;
}

export interface VotequorumMember extends QuorumMember {
  readonly votes: number;
  /** Absent: none is registered there. */
  readonly device?: VotequorumDevice;
}

/** What corosync 3's votequorum says of itself on one node. */
export interface VotequorumView extends QuorumServiceView {
  /** Wall clock second at which it was asked. */
  readonly wall: number;
  /** This node; one of the members. */
  readonly nodeId: NodeId;
  readonly expectedVotes: number;
  readonly highestExpected: number;
  readonly totalVotes: number;
  readonly quorum: number;
  readonly isTwoNode: boolean;
  readonly isWaitForAll: boolean;
  readonly isLastManStanding: boolean;
  readonly isAutoTieBreaker: boolean;
  readonly isDownscaleAllowed: boolean;
  readonly members: readonly VotequorumMember[];
  /** Name and votes of the quorum device; absent: none is registered on this node. */
  readonly device?: { readonly name: string; readonly votes: number };
}

/**
 * What corosync 3's `corosync-quorumtool -s` prints with votequorum, the time in UTC.
 *
 * Source: corosync 3.1, tools/corosync-quorumtool.c, `display_quorum_data` and `display_nodes_data`.
 */
export function formatVotequorumStatus(view: VotequorumView): string {
  const { ring, members } = view;
  const flags = [
    view.isTwoNode && '2Node ',
    view.isQuorate && 'Quorate ',
    view.isWaitForAll && 'WaitForAll ',
    view.isLastManStanding && 'LastManStanding ',
    view.isAutoTieBreaker && 'AutoTieBreaker ',
    view.isDownscaleAllowed && 'AllowDownscale ',
    view.device !== undefined && 'Qdevice ',
  ].filter((flag) => flag !== false);
  return [
    ...heading('Quorum information'),
    `Date:             ${formatCtime(view.wall)}`,
    `Quorum provider:  ${view.provider}`,
    `Nodes:            ${members.length}`,
    `Node ID:          ${view.nodeId}`,
    `Ring ID:          ${ring.representative.toString(16)}.${ring.seq.toString(16)}`,
    `Quorate:          ${yesOrNo(view.isQuorate)}`,
    '',
    ...heading('Votequorum information'),
    `Expected votes:   ${view.expectedVotes}`,
    `Highest expected: ${view.highestExpected}`,
    `Total votes:      ${view.totalVotes}`,
    `Quorum:           ${view.quorum} ${view.isQuorate ? ' ' : 'Activity blocked'}`,
    `Flags:            ${flags.join('')}`,
    formatVotequorumNodes(view),
  ].join('\n');
}

/** What corosync 3's `corosync-quorumtool -l` prints with votequorum. */
export function formatVotequorumNodes({ nodeId: us, members, device }: VotequorumView): string {
  const hasDevice = members.some((member) => member.device !== undefined);
  const rows = members.map((member) => {
    const columns = [member.nodeId, member.votes, ...(hasDevice ? [deviceText(member.device)] : [])];
    return `${columns.map(padded).join('')}${member.name}${member.nodeId === us ? ' (local)' : ''}`;
  });
  return [
    '',
    ...heading('Membership information'),
    `${['Nodeid', 'Votes', ...(hasDevice ? ['Qdevice'] : [])].map(padded).join('')}Name`,
    ...rows,
    ...(device === undefined ? [] : [deviceRow(device, members.find(({ nodeId }) => nodeId === us)?.device)]),
    '',
  ].join('\n');
}

function deviceText(device: VotequorumDevice | undefined): string {
  if (device === undefined) return 'NR';
  const { isAlive, isVoting, isMasterWins } = device;
  return [isAlive ? 'A' : 'NA', isVoting ? 'V' : 'NV', isMasterWins ? 'MW' : 'NMW'].join(',');
}

/** The device is node 0. Where its votes do not count it has none, and they stand behind its name. */
function deviceRow({ name, votes }: { name: string; votes: number }, here: VotequorumDevice | undefined): string {
  const isVoting = here?.isVoting === true;
  return `${padded(0)}${padded(isVoting ? votes : 0)}           ${name}${isVoting ? '' : ` (votes ${votes})`}`;
}

function heading(title: string): readonly string[] {
  return [title, '-'.repeat(title.length)];
}

function padded(value: string | number): string {
  return `${String(value).padStart(10)} `;
}

function yesOrNo(is: boolean): string {
  return is ? 'Yes' : 'No';
}
