import { SECOND } from '@quorate/kernel';
import { formatQuorumDisk, Qdiskd, type QdiskInput } from '@quorate/qdisk';

const disk = new Map<number, Uint8Array>();
formatQuorumDisk({ label: 'myqdisk', host: 'my-vm1', wall: 1_446_127_500 }, (sector, bytes) => {
  disk.set(sector, bytes.slice());
});
const clusterNodes = [1, 2, 3, 4, 5].map((nodeId) => ({ nodeId, name: `my-vm${nodeId}`, votes: 1 }));
const qdiskd = new Qdiskd({ nodeId: 1, device: '/dev/block/8:33', quorumd: {}, clusterNodes });

export const log: string[] = [];
const inputs: QdiskInput[] = [
  { kind: 'members', nodes: [1] },
  { kind: 'start', wall: 1_446_130_000 },
];
for (let now = 0; now < 10 * SECOND; now = qdiskd.deadline()) {
  for (let input = inputs.shift() ?? { kind: 'wake' as const }; input; input = inputs.shift()!) {
    qdiskd.step(now, input, (output) => {
      if (output.kind === 'write') disk.set(output.sector, output.data.slice());
      if ('id' in output) inputs.push({ kind: 'io-done', id: output.id, data: disk.get(output.sector)! });
      if (output.kind === 'log' && output.priority !== 'debug') log.push(`${now / SECOND} s: ${output.text}`);
      if (output.kind === 'poll') log.push(`${now / SECOND} s: the quorum device is ${output.isUp ? 'up' : 'down'}`);
    });
  }
}
