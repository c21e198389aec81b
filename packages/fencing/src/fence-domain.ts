import type { Change, WaitState } from './domain-change.js';
import type { FencedHow } from './message.js';

/** One node as `fence_tool ls -n` shows it. */
export interface DomainNode {
  readonly nodeId: number;
  /** 1 member, 0 none, -1 disallowed: it came from the other half of a partition, with state. */
  readonly membership: 1 | 0 | -1;
  readonly isVictim: boolean;
  /** 0 for never. */
  readonly lastFencedBy: number;
  readonly how: FencedHow;
}

/** A fence domain as one of its members sees it. */
export interface FenceDomain {
  readonly memberCount: number;
  readonly victimCount: number;
  /** The victim that the master is fencing; 0 for none, and on all others. */
  readonly currentVictim: number;
  readonly master: number;
  readonly waitState: WaitState | 'none';
  /** Members of the last change that was completed. */
  readonly members: readonly number[];
  /** Every node that it remembers. */
  readonly nodes: readonly DomainNode[];
}

export function waitStateOf(change: Change | undefined): WaitState | 'none' {
  return change?.state ?? 'none';
}

/**
 * What `fence_tool ls` prints, with `-n` all nodes too.
 *
 * Source: cluster.git fence/fence_tool/fence_tool.c, `do_list`.
 */
export function fenceDomainText(domain: FenceDomain, withNodes: boolean): string {
  const lines = [
    'fence domain',
    `member count  ${domain.memberCount}`,
    `victim count  ${domain.victimCount}`,
    `victim now    ${domain.currentVictim}`,
    `master nodeid ${domain.master}`,
    `wait state    ${domain.waitState}`,
    `members       ${domain.members.map((node) => `${node} `).join('')}`,
    ...(withNodes ? ['all nodes', ...domain.nodes.map(nodeText)] : []),
  ];
  return `${lines.join('\n')}\n\n`;
}

function nodeText({ nodeId, membership, isVictim, lastFencedBy, how }: DomainNode): string {
  return `nodeid ${nodeId} member ${membership} victim ${isVictim ? 1 : 0} last fence master ${lastFencedBy} how ${how}`;
}
