import { SECOND } from '@quorate/kernel';
import { bench, describe } from 'vitest';
import { formatQuorumDisk, Qdiskd, type QdiskInput } from '../src/index.js';

// Five daemons on one disk, every I/O answered at once: what a second of qdisk costs. A cycle is 16 reads and a write.

const NODES = [1, 2, 3, 4, 5];
const SECONDS = 100;

function run(): number {
  const disk = new Map<number, Uint8Array>();
  formatQuorumDisk({ label: 'l', host: 'h', wall: 1000 }, (sector, bytes) => disk.set(sector, bytes.slice()));
  const clusterNodes = NODES.map((nodeId) => ({ nodeId, name: `my-vm${nodeId}`, votes: 1 }));
  const daemons = NODES.map((nodeId) => new Qdiskd({ nodeId, device: 'd', quorumd: {}, clusterNodes }));
  let masters = 0;
  let ios = 0;
  const step = (daemon: Qdiskd, now: number, first: QdiskInput): void => {
    for (let input: QdiskInput | undefined = first; input !== undefined; ) {
      let next: QdiskInput | undefined;
      daemon.step(now, input, (output) => {
        if (output.kind === 'read') next = { kind: 'io-done', id: output.id, data: disk.get(output.sector)! };
        else if (output.kind === 'write') {
          disk.get(output.sector)!.set(output.data);
          next = { kind: 'io-done', id: output.id };
        } else if (output.kind === 'log' && output.text === 'Assuming master role') masters += 1;
      });
      if (next !== undefined) ios += 1;
      input = next;
    }
  };
  for (const daemon of daemons) {
    step(daemon, 0, { kind: 'members', nodes: NODES });
    step(daemon, 0, { kind: 'start', wall: 2000 });
  }
  for (;;) {
    const now = daemons.reduce((least, daemon) => Math.min(least, daemon.deadline()), Infinity);
    if (now > SECONDS * SECOND) break;
    for (const daemon of daemons) if (daemon.deadline() <= now) step(daemon, now, { kind: 'wake' });
  }
  if (masters !== 1) throw new Error(`${masters} masters`);
  return ios;
}

describe(`${SECONDS} s of five nodes (${run()} I/Os)`, () => {
  bench('all cycles', () => {
    run();
  });
});
