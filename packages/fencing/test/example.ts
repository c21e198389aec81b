import { Fenced, type FencedInput } from '@quorate/fencing';
import { SECOND } from '@quorate/kernel';

const fenceMethods = [{ name: 'power', devices: [{ name: 'switch', arguments: new Map() }] }];
const nodes = [1, 2].map((nodeId) => ({ nodeId, name: `my-vm${nodeId}`, fenceMethods, unfenceDevices: [] }));
const devices = [{ name: 'switch', agent: 'fence_power', arguments: new Map([['agent', 'fence_power']]) }];
const fenced = new Fenced({ nodeId: 1, conf: { nodes, devices } });
export const log: string[] = [];
const ring = { representative: 1, seq: 4 };
const cman: FencedInput = { kind: 'membership', members: [1], ring, isQuorate: true };
const queue: FencedInput[] = [{ kind: 'start', wall: 1_446_130_000 }, cman, { kind: 'join' }];
for (let now = 0; now < 60 * SECOND; now = fenced.deadline()) {
  for (let input: FencedInput | undefined = queue.shift() ?? { kind: 'wake' }; input; input = queue.shift()) {
    fenced.step(now, input, (output) => {
      // CPG with one member, who hears itself; and agents that succeed at once.
      const payload = output.kind === 'cpg-mcast' ? output.payload.slice() : new Uint8Array(0);
      if (output.kind === 'cpg-join') queue.push({ ...output, kind: 'confchg', members: [1], joined: [1], left: [] });
      if (output.kind === 'cpg-mcast') queue.push({ ...output, kind: 'message', from: 1, payload });
      if (output.kind === 'joined') queue.push({ kind: 'ring-confchg', ring, members: [1] });
      if (output.kind === 'run-agent') queue.push({ kind: 'agent-ended', run: output.run, status: 0 });
      if (output.kind !== 'cpg-mcast' && output.kind !== 'log')
        log.push(`${now / SECOND} s: ${JSON.stringify(output)}`);
    });
  }
}
