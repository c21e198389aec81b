import { SECOND } from '@quorate/kernel';
import { Cman, type CmanInput, clusterIdOf } from '../src/index.js';

export function example(): string[] {
  const lines: string[] = [];
  const nodes = [1, 2, 3].map((nodeId) => ({ nodeId, name: `node${nodeId}` }));
  const cluster = { clusterName: 'demo', clusterId: clusterIdOf('demo', true), configVersion: 1, nodes };
  const cmans = nodes.map(({ nodeId }) => new Cman({ ...cluster, nodeId, quorumDevPoll: 10 * SECOND }));

  // A totem in two lines: what one casts, all get in the same order.
  const ring: { from: number; payload: Uint8Array }[] = [];
  const step = (i: number, input: CmanInput): void =>
    cmans[i]!.step(0, input, (output) => {
      if (output.kind === 'cast') ring.push({ from: i + 1, payload: output.payload.slice() });
      if (output.kind === 'state-change' && i === 0) lines.push(`${output.members} quorate: ${output.isQuorate}`);
    });

  const members = [1, 2, 3];
  const formed = { kind: 'configuration', type: 'regular', ring: { representative: 1, seq: 4 } } as const;
  for (const i of cmans.keys()) step(i, { ...formed, members, joined: members, left: [] });
  for (const message of ring) for (const i of cmans.keys()) step(i, { kind: 'deliver', ...message });
  return lines;
}
