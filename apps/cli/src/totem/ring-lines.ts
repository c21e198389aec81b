import type { QuorumOutput } from '@quorate/quorum/votequorum';
import { type Configuration, formatRing } from '@quorate/totem';
import { type CpgMember, CpgReason } from '@quorate/totem/corosync';

/** `ring 1.c: members 1 2 3, joined 3` */
export function describeRing({ ring, members, joined, left }: Configuration): string {
  return listed(`ring ${formatRing(ring)}: members ${members.join(' ')}`, joined.join(' '), left.join(' '));
}

/** `quorum: 3 of 3 votes, 2 needed: quorate` */
export function describeQuorum({ total, expected, quorum, isQuorate, isWaitingForAll }: QuorumOutput): string {
  const state = isQuorate ? 'quorate' : isWaitingForAll ? 'not quorate, waiting for all' : 'not quorate';
  return `quorum: ${total} of ${expected} votes, ${quorum} needed: ${state}`;
}

/** `group demo: members 1/812 3/99, joined 3/99 (join)` */
export function describeConfchg(change: {
  readonly group: string;
  readonly members: readonly CpgMember[];
  readonly joined: readonly CpgMember[];
  readonly left: readonly CpgMember[];
}): string {
  const members = change.members.map(nameOf).join(' ');
  return listed(
    `group ${change.group}: members ${members === '' ? 'none' : members}`,
    change.joined.map(withReason).join(' '),
    change.left.map(withReason).join(' '),
  );
}

/** Characters that would do something to a terminal are spelled out. */
export function visible(text: string): string {
  return text.replace(/(?!\t)\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [CpgReason.join, 'join'],
  [CpgReason.leave, 'leave'],
  [CpgReason.nodeDown, 'node down'],
  [CpgReason.nodeUp, 'node up'],
  [CpgReason.procDown, 'process down'],
]);

function nameOf({ node, pid }: CpgMember): string {
  return `${node}/${pid}`;
}

function withReason(member: CpgMember): string {
  return `${nameOf(member)} (${REASONS.get(member.reason) ?? member.reason})`;
}

function listed(what: string, joined: string, left: string): string {
  return `${what}${joined === '' ? '' : `, joined ${joined}`}${left === '' ? '' : `, left ${left}`}`;
}
