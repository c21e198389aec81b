import { MILLISECOND, type Nanos } from '@quorate/kernel';
import { GATHER_REASON_TEXT, type GatherReason } from './gather-reason.js';
import type { Era } from './node-order.js';
import type { NodeId } from './ring-id.js';
import type { TotemTimings } from './timings.js';

/** What corosync's log says, in the words of its time. */

export function gatherText(era: Era, reason: GatherReason): string {
  const words = era === 'modern' ? `(${GATHER_REASON_TEXT[reason]})` : '';
  return `entering GATHER state from ${reason}${words}.`;
}

export function tokenLossText(era: Era, { token, consensus }: TotemTimings): string {
  const text = 'A processor failed, forming new configuration';
  if (era === 'rhel6') return `${text}.`;
  return `${text}: token timed out (${inMs(token)}ms), waiting ${inMs(consensus)}ms for consensus.`;
}

export function tokenWarningText({ token, tokenWarningPercent }: TotemTimings): string {
  return `Token has not been received in ${inMs((token * tokenWarningPercent) / 100)} ms`;
}

export function pauseText(length: Nanos): string {
  return `Process pause detected for ${inMs(length)} ms, flushing membership messages.`;
}

/** One line, or two when somebody went without a leave. */
export function newMembershipTexts(
  era: Era,
  ring: string,
  joined: readonly NodeId[],
  left: readonly NodeId[],
  failed: readonly NodeId[],
): string[] {
  if (era === 'rhel6') return ['A processor joined or left the membership and a new membership was formed.'];
  const changes = `${namedList(' joined:', joined)}${namedList(' left:', left)}`;
  const lines = [`A new membership (${ring}) was formed. Members${changes}`];
  if (failed.length > 0) lines.push(`Failed to receive the leave message.${namedList(' failed:', failed)}`);
  return lines;
}

function namedList(name: string, nodes: readonly NodeId[]): string {
  return nodes.length === 0 ? '' : `${name} ${nodes.map((node) => node.toString(16)).join(' ')}`;
}

function inMs(span: Nanos): number {
  return Math.floor(span / MILLISECOND);
}
